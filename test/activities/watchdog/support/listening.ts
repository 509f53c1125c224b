import { randomBytes } from 'node:crypto';
import { createListeners } from '../../../../activities/watchdog/listeners.ts';
import type { ListenerOptions, Listeners } from '../../../../activities/watchdog/listeners.ts';
import { openHistory } from '../../../../history/database.ts';
import type { RunRow } from '../../../../history/queries.ts';
import { applySchedule } from '../../../../schedules/apply.ts';
import { compileSchedule } from '../../../../schedules/desired.ts';
import type { WatchdogOrder } from '../../../../workflows/contract.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { eventually } from '../../../support/eventually.ts';
import { startRunner } from '../../../support/runner.ts';
import type { Runner } from '../../../support/runner.ts';
import { defineWatchdog } from '../../../support/watchdogs.ts';

/** A runner, and a database of its own that watchdogs listen to. */
export interface ListeningStage {
  runner: Runner;
  /** What the listeners had to warn of. */
  warnings: string[];
  /** Applies the schedule of a watchdog with an interval of an hour that listens on `channel`. */
  apply(channel: string): Promise<WatchdogOrder>;
  /** The listeners of one more worker. */
  openListeners(changes?: Partial<ListenerOptions>): Listeners;
  notify(channel: string, payload?: string): Promise<void>;
  /** Pids of the connections that are listening for a definition, or stand by: of those whose last statement is like that. */
  connectionsOf(order: WatchdogOrder, statement?: string): Promise<number[]>;
  /** Waits until one of them listens. */
  awaitListening(order: WatchdogOrder): Promise<number>;
  endConnection(pid: number): Promise<void>;
  /** Those that a notification has fired, first one first. */
  notifiedRuns(order: WatchdogOrder): Promise<RunRow[]>;
  /** Waits for so many of them. */
  awaitRuns(order: WatchdogOrder, count: number): Promise<RunRow[]>;
  close(): Promise<void>;
}

const hourly = { schedule: '{ every: 1h }' };

/** Makes it all; the worker is not started yet. */
export async function openListeningStage(): Promise<ListeningStage> {
  const [runner, database] = await Promise.all([startRunner(), createTestDatabase()]);
  const watched = openHistory(database.url);
  const open: Listeners[] = [];
  const warnings: string[] = [];
  const stage: ListeningStage = {
    runner,
    warnings,
    async apply(channel) {
      const id = `test.listen-${randomBytes(4).toString('hex')}`;
      const definition = await defineWatchdog(id, { quiet: { detect: 'SELECT 1 AS id WHERE false' } }, hourly);
      definition.order.watchdog.listen = { channel, debounceMs: 100 };
      await applySchedule(runner.client, compileSchedule(definition, runner.taskQueue));
      return definition.order;
    },
    openListeners(changes = {}) {
      const environment = { WATCHED_URL: database.url };
      const warn = (message: string) => void warnings.push(message);
      const listeners = createListeners({ client: runner.client, environment, warn, ...changes });
      open.push(listeners);
      return listeners;
    },
    notify: async (channel, payload = '') => void (await watched.query('select pg_notify($1, $2)', [channel, payload])),
    async connectionsOf({ definition }, statement = '%') {
      const { rows } = await watched.query<{ pid: number }>(
        `select pid from pg_stat_activity where application_name = $1 and query like $2 and state = 'idle'`,
        [`actcore listen ${definition.id}`, statement],
      );
      return rows.map(({ pid }) => pid);
    },
    awaitListening: (order) =>
      eventually(async () => (await stage.connectionsOf(order, 'LISTEN%'))[0], { everyMs: 25 }),
    endConnection: async (pid) => void (await watched.query('select pg_terminate_backend($1)', [pid])),
    async notifiedRuns({ definition }) {
      const rows = await runner.runsOf(definition.id);
      return rows.filter(({ trigger }) => trigger === 'notify').reverse();
    },
    awaitRuns: (order, count) =>
      eventually(
        async () => {
          const rows = await stage.notifiedRuns(order);
          return rows.filter(({ outcome }) => outcome !== null).length >= count && rows;
        },
        { everyMs: 25, what: `run ${count} of ${order.definition.id}` },
      ),
    async close() {
      await Promise.all(open.map((listeners) => listeners.close()));
      await runner.close();
      await watched.end();
      await database.drop();
    },
  };
  return stage;
}
