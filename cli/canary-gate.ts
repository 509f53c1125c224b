import type { Client } from '@temporalio/client';
import type pg from 'pg';
import type { Definition } from '../compiler/definition.ts';
import { listRetired } from '../history/chain.ts';
import type { KnownDefinition } from '../history/chain.ts';
import { findCanaried } from '../history/queries.ts';
import type { Session } from './command.ts';
import { withHistory } from './history-service.ts';
import { Refusal } from './refusal.ts';
import { forEachAtOnce } from '../schedules/each.ts';
import { observeSchedule } from '../schedules/observe.ts';
import type { PlannedChange } from '../schedules/plan.ts';
import type { WatchdogCheck } from '../workflows/contract.ts';
import { describeUnproven, findUnproven } from './proof-gate.ts';

/** Why definitions may not be applied as they are. */
export interface GateFindings {
  /** Enabled by a contract that no canary vouches for and that the server does not run already; by id. */
  uncanaried: Definition[];
  /** Enabled with checks that act and of which nobody knows what they would do; by id. */
  unproven: Map<string, WatchdogCheck[]>;
  retired: Map<string, KnownDefinition>;
}

/** Where nothing is known to stand in the way. */
export const noFindings: GateFindings = { uncanaried: [], unproven: new Map(), retired: new Map() };

/**
 * Holds definitions against the history: `enabled: true` needs a completed canary of the contract, unless the
 * schedule on the server is enabled under that very contract, and each check that acts needs a run that only looked;
 * `settled` are ids that are known to be enabled so.
 */
export async function findGated(
  client: Client,
  history: pg.Pool | pg.ClientBase,
  definitions: Definition[],
  settled: ReadonlySet<string> = new Set(),
): Promise<GateFindings> {
  const retired = await findRetired(history, definitions);
  const enabled = definitions.filter((definition) => definition.enabled && !settled.has(definition.id));
  const vouched = await findCanaried(
    history,
    enabled.map(({ order }) => order.contractHash),
  );
  const doubtful = enabled.filter(({ order }) => !vouched.has(order.contractHash));
  const isRunning = await forEachAtOnce(doubtful, async ({ id, order }) => {
    const observed = await observeSchedule(client, id);
    return observed?.enabled === true && observed.order?.contractHash === order.contractHash;
  });
  const uncanaried = doubtful.filter((_, index) => isRunning[index] !== true);
  return { uncanaried, unproven: await findUnproven(client, history, enabled), retired };
}

/** By id as by uuid: who gives a retired definition another uuid has not taken it up again. */
async function findRetired(
  history: pg.Pool | pg.ClientBase,
  definitions: Definition[],
): Promise<Map<string, KnownDefinition>> {
  const all = await listRetired(history);
  const [byId, byUuid] = [new Map(all.map((one) => [one.id, one])), new Map(all.map((one) => [one.uuid, one]))];
  const found = definitions.flatMap(({ id, uuid }) => {
    const retired = byUuid.get(uuid.toLowerCase()) ?? byId.get(id);
    return retired === undefined ? [] : [[id, retired] as const];
  });
  return new Map(found);
}

/** A plan in which what the gate will refuse is refused; a history that is away takes away the gate, not the plan. */
export async function announceGate(
  { settings, output }: Session,
  client: Client,
  definitions: Definition[],
  plan: () => Promise<PlannedChange[]>,
): Promise<PlannedChange[]> {
  const changes = await plan();
  const idsOf = (action: PlannedChange['action']) =>
    new Set(changes.filter((change) => change.action === action).map(({ id }) => id));
  const [refused, settled] = [idsOf('refused'), idsOf('unchanged')];
  const concerned = definitions.filter(({ id }) => !refused.has(id));
  try {
    const findings = await withHistory(settings, (pool) => findGated(client, pool, concerned, settled));
    return refuseAll(changes, concerned, findings);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    output.note(`whether canaries allow it, and what is retired, was not checked: ${error.message}`);
    return refuseAll(changes, concerned, noFindings);
  }
}

function refuseAll(changes: PlannedChange[], definitions: Definition[], findings: GateFindings): PlannedChange[] {
  const remarks = new Map(definitions.map((definition) => [definition.id, describeGate(definition, findings)]));
  return changes.map(({ ticks, ...change }) => {
    const remark = remarks.get(change.id);
    if (remark !== undefined) return { ...change, action: 'refused', remark };
    return ticks === undefined ? change : { ...change, ticks };
  });
}

/** What stands in the way of one definition, as a sentence with the way out; undefined where nothing does. */
export function describeGate(
  definition: Definition,
  { uncanaried, unproven, retired }: GateFindings,
): string | undefined {
  const { id, file, order } = definition;
  const retirement = retired.get(id);
  if (retirement !== undefined) {
    return `it was retired on ${retirement.retiredAt?.slice(0, 10)} by ${retirement.retiredBy}: ${retirement.retiredReason}; take it up again with --unretire`;
  }
  const checks = unproven.get(id);
  // First, as the canary that is asked for next lets them act.
  if (checks !== undefined) return describeUnproven(checks, quoteWord(file));
  if (!uncanaried.some((other) => other.id === id)) return undefined;
  const contract = order.contractHash.slice(0, 12);
  return `enabled: true needs a completed canary of this contract (${contract}): actcore canary ${quoteWord(file)}`;
}

/** The change that is not made. */
export function refuseChange(id: string, remark: string): PlannedChange {
  return { id, action: 'refused', fields: [], drift: [], paused: false, remark };
}

/** A file name as a shell takes it. */
export function quoteWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
