import { createHash } from 'node:crypto';
import type { EachPlan, JsonValue } from '../workflows/contract.ts';
import { readAnswer } from './answer.ts';
import { explainFault } from './faults.ts';
import { fanOutReasons } from './fan-out-reasons.ts';
import { findExpectationFault } from './judgement.ts';
import { openHttpClient } from './http-client.ts';
import { openHostGuard } from './host-guard.ts';
import { buildRequest, renderTlsFiles } from './request.ts';
import { sendWithRetry } from './retry.ts';
import { RuleError, applyRule, show } from './rule.ts';
import type { Dependencies } from './dependencies.ts';
import type { Sweep } from './sweep.ts';

/** One target of a fan-out. */
export interface Target {
  /** Its place in the list, from 0; names it within the run. */
  ordinal: number;
  /** Its name, which no other has. */
  key: string;
  /** What stands for it in the request. */
  value: JsonValue;
}

/** The most targets of one sweep. */
export const mostTargets = 10_000;

/** The list of targets cannot be used; the message is a sentence for the operator. */
export class TargetListError extends Error {
  override readonly name = 'TargetListError';
}

/** What it takes to list the targets of a sweep. */
type Listing = Pick<Sweep, 'caller' | 'scope'> & { context: { deps: Pick<Dependencies, 'environment'> } };

/**
 * The targets of a sweep, in order: those that the definition lists, or those that the first request gives.
 *
 * @throws TargetListError, the signal's reason, and what nobody foresaw
 */
export async function listTargets(sweep: Listing, { targets, key }: EachPlan): Promise<Target[]> {
  return checkTargets(Array.isArray(targets) ? targets : await requestList(sweep, targets), key);
}

async function requestList(sweep: Listing, first: Exclude<EachPlan['targets'], JsonValue[]>): Promise<JsonValue[]> {
  const { caller, scope, context } = sweep;
  const { environment } = context.deps;
  const { request, list: expression } = first;
  const guard = openHostGuard(environment);
  const opened = await openHttpClient({ tls: renderTlsFiles(request, scope), guard, environment });
  const client = caller.watch?.(opened) ?? opened;
  try {
    const sent = await sendWithRetry({ ...caller, client, isListing: true }, buildRequest(request, scope));
    if ('fault' in sent) throw sent.fault;
    const { answer } = readAnswer(sent.response, caller.redact);
    const fault = findExpectationFault(answer, request.expect);
    if (fault !== undefined) throw new RuleError(fault + sent.note);
    const list = applyRule('each.targets', expression, answer);
    if (!Array.isArray(list)) throw new TargetListError(fanOutReasons.notList(show(list)));
    return list;
  } catch (error) {
    const reason = caller.signal.aborted ? undefined : explainFault(error);
    throw reason === undefined ? error : new TargetListError(fanOutReasons.listFailed(reason), { cause: error });
  } finally {
    await client.close();
  }
}

/**
 * Gives each target its name.
 *
 * @throws TargetListError where there are too many, or one has no name of its own
 */
export function checkTargets(list: JsonValue[], key: string): Target[] {
  if (list.length > mostTargets) throw new TargetListError(fanOutReasons.tooMany(list.length, mostTargets));
  const seen = new Map<string, number>();
  return list.map((value, ordinal) => {
    const name = nameTarget(value, key);
    if (name === undefined) throw new TargetListError(fanOutReasons.noKey(ordinal, show(value), key));
    const first = seen.get(name);
    if (first !== undefined) throw new TargetListError(fanOutReasons.duplicate(name, first, ordinal));
    seen.set(name, ordinal);
    return { ordinal, key: name, value };
  });
}

function nameTarget(value: JsonValue, key: string): string | undefined {
  const isMap = typeof value === 'object' && value !== null && !Array.isArray(value);
  const name = isMap ? (Object.hasOwn(value, key) ? value[key] : undefined) : value;
  if (typeof name === 'number') return String(name);
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Names a list of targets by its content: the same text for the same targets in the same order. */
export function digestTargets(targets: Target[]): string {
  const hash = createHash('sha256');
  for (const { key } of targets) hash.update(`${key}\0`);
  return hash.digest('base64url').slice(0, 22);
}
