import type { Client } from '@temporalio/client';
import type pg from 'pg';
import type { Definition } from '../compiler/definition.ts';
import { findProven } from '../history/evidence.ts';
import type { CheckContract } from '../history/evidence.ts';
import { forEachAtOnce } from '../schedules/each.ts';
import { observeSchedule } from '../schedules/observe.ts';
import type { Order, WatchdogCheck } from '../workflows/contract.ts';

/** The checks of a definition that would change what they watch. */
export function listActing(order: Order): WatchdogCheck[] {
  if (order.kind !== 'watchdog') return [];
  const { checks, destructiveOk } = order.watchdog;
  return checks.filter(
    ({ mode, remedy, destructive }) => mode === 'auto' && remedy !== undefined && (destructiveOk || !destructive),
  );
}

/**
 * The checks of enabled definitions that act and that no dry or simulated run vouches for, by the definition's id. Those
 * that the server's schedule, while it is enabled, lets act under the same contract need no evidence.
 */
export async function findUnproven(
  client: Client,
  history: pg.Pool | pg.ClientBase,
  enabled: Definition[],
): Promise<Map<string, WatchdogCheck[]>> {
  const acting = enabled.map((definition) => ({ definition, checks: listActing(definition.order) }));
  const contracts = acting.flatMap(({ definition, checks }) =>
    checks.map(({ name, contractHash }): CheckContract => ({
      ...{ definitionUuid: definition.uuid, checkName: name, contractHash },
    })),
  );
  if (contracts.length === 0) return new Map();
  const proven = await findProven(history, contracts);
  const keyOf = ({ uuid }: Definition, { contractHash }: WatchdogCheck) => `${uuid.toLowerCase()} ${contractHash}`;
  const doubtful = acting
    .map(({ definition, checks }) => ({
      definition,
      checks: checks.filter((check) => !proven.has(keyOf(definition, check))),
    }))
    .filter(({ checks }) => checks.length > 0);
  const unproven = await forEachAtOnce(doubtful, async ({ definition, checks }) => {
    const observed = await observeSchedule(client, definition.id);
    const served = observed?.enabled === true && observed.order !== undefined ? listActing(observed.order) : [];
    const running = new Set(served.map(({ contractHash }) => contractHash));
    return { id: definition.id, checks: checks.filter(({ contractHash }) => !running.has(contractHash)) };
  });
  return new Map(unproven.filter(({ checks }) => checks.length > 0).map(({ id, checks }) => [id, checks]));
}

/** What stands in the way of checks that nothing vouches for, with the way out. */
export function describeUnproven(checks: WatchdogCheck[], file: string): string {
  const names = checks.map(({ name }) => name).join(', ');
  const [what, they] = checks.length === 1 ? ['the check', 'it has'] : ['the checks', 'they have'];
  return `mode: auto needs evidence of what ${what} ${names} would do, and ${they} no dry or simulated run as now defined: actcore canary ${file} --dry-run`;
}
