import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { AssessmentFailure, JsonValue } from '../workflows/contract.ts';
import type { EndedTarget, FanOut } from './fan-out.ts';
import type { Operation } from './operation.ts';
import { cutText } from './report-size.ts';
import { type Target, checkTargets, digestTargets } from './target-list.ts';

/** What a heartbeat says of a fan-out; 10,000 targets stay well below 100 KB. */
export interface FanOutCheckpoint {
  /** Of the list, and how many targets it had. */
  digest: string;
  total: number;
  /** The list itself where a request gave it and it is small: base64 of deflated JSON. */
  list?: string;
  /** See `EndedSet`. */
  ended: string;
  /** The last to end, for their rows may not have been written. */
  recent: EndedTarget[];
  operations: Record<string, Operation>;
  isAssessed: boolean;
  failureCount: number;
  /** As many as fit. */
  failures: AssessmentFailure[];
}

const listLimit = 32_000;
const failureTextLimit = 64_000;
const longestReason = 200;

/** Prepares the checkpoints of one fan-out: what does not change is made once. */
export function openCheckpoints(fanOut: FanOut, isListed: boolean): () => FanOutCheckpoint {
  const { targets } = fanOut;
  const common = { digest: digestTargets(targets), total: targets.length, ...(isListed ? {} : packList(targets)) };
  let carried = 0;
  let carriedText = 0;
  return () => {
    for (const failure of fanOut.failures.slice(carried)) {
      carriedText += JSON.stringify(failure).length;
      if (carriedText > failureTextLimit) break;
      carried += 1;
    }
    return {
      ...common,
      ended: fanOut.ended.encode(),
      recent: fanOut.recent.map((result) => ({ ...result, reason: cutText(result.reason, longestReason) })),
      operations: Object.fromEntries(fanOut.operations),
      isAssessed: fanOut.isAssessed,
      failureCount: fanOut.failureCount,
      failures: fanOut.failures.slice(0, carried),
    };
  };
}

function packList(targets: Target[]): { list?: string } {
  const list = deflateRawSync(JSON.stringify(targets.map(({ value }) => value))).toString('base64');
  return list.length <= listLimit ? { list } : {};
}

/** The list that a checkpoint carries; undefined where it carries none. */
export function unpackList({ list }: FanOutCheckpoint, key: string): Target[] | undefined {
  if (list === undefined) return undefined;
  const values = JSON.parse(inflateRawSync(Buffer.from(list, 'base64')).toString()) as JsonValue[];
  return checkTargets(values, key);
}
