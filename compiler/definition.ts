import { parse, v5 } from 'uuid';
import type { Cadence, CommonOrder, Order } from '../workflows/contract.ts';
import { compileCadence } from './cadence.ts';
import { buildCutover } from './cutover.ts';
import type { CutoverTerms } from './cutover.ts';
import { hashContract, hashRevision } from './digest.ts';
import type { CommonBehaviour, SpecificBehaviour } from './digest.ts';
import { defaultBackoffMs } from './schema.ts';
import type { DefinitionKeys } from './schema.ts';

/** One compiled file: what stands in its frontmatter, its prose, and the order that every run of it gets. */
export interface Definition {
  file: string;
  id: string;
  uuid: string;
  title: string;
  owner: string;
  enabled: boolean;
  labels: Record<string, string>;
  /** Names of variables that hold the addresses to tell of what went wrong. */
  notify: string[];
  /** Ids that this activity had before, the first one first; their history and their schedules are its own. */
  movedFrom: string[];
  /** The outside runners that are expected to drive the same activity, and when. */
  sources: Record<string, Cadence>;
  /** By what the work goes from one of them to our own schedule, or on to another. */
  cutover: CutoverTerms;
  /** The keys of the file as they were read, for whoever compares two contents. */
  frontmatter: Record<string, unknown>;
  /** The prose under the frontmatter, LF line ends. */
  runbook: string;
  order: Order;
}

/** Pinned for ever: another namespace would cut every definition without a `uuid` off from its history. */
const definitionNamespace = parse('5f1d7a38-3c0e-4b6f-9a51-6de2c8b4f017');

const hardTimeoutMarginMs = 60_000;

/** The uuid of a definition that states none. */
export function deriveUuid(id: string): string {
  return v5(id, definitionNamespace);
}

/** Builds a definition from keys that have passed every check. `frontmatter` is the same as it was read. */
export function buildDefinition(
  file: string,
  keys: DefinitionKeys,
  frontmatter: Record<string, unknown>,
  runbook: string,
  specific: SpecificBehaviour,
  fromYear: number,
): Definition {
  const { id, title, owner, enabled, labels = {}, notify, moved_from: movedFrom } = keys;
  // A definition that moved goes on under the uuid that was derived from its first id.
  const uuid = keys.uuid ?? deriveUuid(movedFrom[0] ?? id);
  const common = buildCommon(keys);
  const { schedule } = keys;
  const dst = schedule.dst === undefined ? {} : { dst: schedule.dst };
  const order = {
    format: 1 as const,
    contractHash: hashContract({ ...common, ...specific, ...dst }),
    revision: hashRevision(frontmatter, runbook),
    ...common,
    cadence: compileCadence(schedule, id, fromYear),
    ...(notify.length === 0 ? {} : { notify }),
  };
  const sources = Object.fromEntries(
    Object.entries(keys.sources).map(([name, source]) => [name, compileCadence(source, id, fromYear)]),
  );
  return {
    ...{ file, id, uuid, title, owner, enabled, labels, notify, movedFrom, sources, frontmatter, runbook },
    cutover: buildCutover(keys.cutover, [order.cadence, ...Object.values(sources)]),
    order: completeOrder(order, { id, uuid, title, owner }, specific),
  };
}

function completeOrder(
  order: CommonOrder,
  definition: { id: string; uuid: string; title: string; owner: string },
  specific: SpecificBehaviour,
): Order {
  return specific.kind === 'sweep'
    ? { ...order, kind: 'sweep', definition: { ...definition, kind: 'sweep' }, sweep: specific.sweep }
    : { ...order, kind: 'watchdog', definition: { ...definition, kind: 'watchdog' }, watchdog: specific.watchdog };
}

function buildCommon(keys: DefinitionKeys): CommonBehaviour {
  const { budget, retry } = keys;
  return {
    cadence: compileCadence(keys.schedule, keys.id),
    misfire: { policy: keys.misfire_policy, graceMs: keys.misfire_grace },
    budget: {
      maxSeconds: budget.max_seconds,
      hardTimeoutMs: budget.hard_timeout ?? budget.max_seconds * 1_000 + hardTimeoutMarginMs,
      ...(budget.min_duration === undefined ? {} : { minDurationMs: budget.min_duration }),
    },
    onFailure: keys.on_failure,
    retry: {
      attempts: retry.attempts,
      ...(retry.backoff === defaultBackoffMs ? {} : { backoffMs: retry.backoff }),
      ...(retry.idempotent ? { idempotent: true } : {}),
    },
    env: keys.env,
    secrets: keys.secrets,
  };
}
