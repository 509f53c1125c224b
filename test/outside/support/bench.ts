import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import type pg from 'pg';
import { describeActivity } from '../../../cli/outside-activity.ts';
import { openDelivery as openOutsideDelivery } from '../../../cli/outside-services.ts';
import type { KnownActivity } from '../../../outside/activity.ts';
import { execCommand } from '../../../outside/exec.ts';
import type { ExecSurroundings } from '../../../outside/exec.ts';
import type { ExecRequest } from '../../../outside/execution.ts';
import { flushSpool } from '../../../outside/flush.ts';
import type { FlushReport } from '../../../outside/flush.ts';
import { openSpool } from '../../../outside/spool.ts';
import type { Spool } from '../../../outside/spool.ts';
import { findRun, listRuns } from '../../../history/queries.ts';
import type { RunDetail } from '../../../history/queries.ts';
import { defineSweep } from '../../support/definitions.ts';
import type { Frontmatter } from '../../support/definitions.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

/** A stream that keeps what it is given. */
export class Sink extends Writable {
  readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  override toString(): string {
    return this.bytes.toString('utf8');
  }
}

/** A machine with a spool, on which commands are run for one definition. */
export interface Bench {
  spool: Spool;
  activity: KnownActivity;
  /** Set to undefined to take the history away. */
  pool: pg.Pool;
  stdout: Sink;
  stderr: Sink;
  signals: EventEmitter;
  exec(
    command: string[],
    changes?: Partial<ExecRequest>,
    around?: Partial<ExecSurroundings>,
  ): ReturnType<typeof execCommand>;
  flush(pool?: pg.Pool): Promise<FlushReport>;
  /** Its rows, the newest tick first. */
  rows(): Promise<RunDetail[]>;
}

let count = 0;

/** Sets one up; its definition is expected once a day from `local-timer`, and whenever that starts is on time. */
export function makeBench(history: pg.Pool, changes: Frontmatter = {}): Bench {
  const id = `test.bench-${process.pid}-${(count += 1)}`;
  const definition = defineSweep(id, {
    sources: '{ local-timer: { every: 1d } }',
    secrets: '[TARGET_TOKEN]',
    ...changes,
  });
  const activity = { ...describeActivity(definition), toleranceMs: 86_400_000 };
  const bench: Bench = {
    spool: openSpool(makeTempFolder()),
    activity,
    pool: history,
    stdout: new Sink(),
    stderr: new Sink(),
    signals: new EventEmitter(),
    exec: (command, request = {}, around = {}) =>
      execCommand(
        {
          ...{ definitionId: id, source: 'local-timer', actor: 'cron@host', command, killAfterMs: 500 },
          env: { PATH: process.env['PATH'] },
          ...{ lockSkippedCodes: [], isJudged: false, isCaptured: true, isLocked: true, isStrict: false },
          ...request,
        },
        {
          ...{
            spool: bench.spool,
            known: activity,
            stdout: bench.stdout,
            stderr: bench.stderr,
            signals: bench.signals,
          },
          find: () => Promise.resolve(activity),
          delivery: openDelivery(bench, bench.pool),
          ...around,
        },
      ),
    async flush(pool = history) {
      const report = await flushSpool(bench.spool, openDelivery(bench, pool));
      if ('holder' in report) throw new Error(`pid ${report.holder.pid} flushes`);
      return report;
    },
    async rows() {
      const rows = await listRuns(history, { definitionId: id, limit: 99 });
      return (await Promise.all(rows.map((row) => findRun(history, row.id)))).flatMap((row) => row ?? []);
    },
  };
  return bench;
}

function openDelivery(bench: Bench, pool: pg.Pool) {
  const find = (id: string) => Promise.resolve(id === bench.activity.order.definition.id ? bench.activity : undefined);
  return openOutsideDelivery(pool, bench.spool, find);
}
