import type { Command } from 'commander';
import { findLastRuns } from '../../history/queries.ts';
import type { RunRow } from '../../history/queries.ts';
import { disabledNote } from '../../schedules/desired.ts';
import { forEachAtOnce } from '../../schedules/each.ts';
import { listScheduleIds } from '../../schedules/listing.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import type { ObservedSchedule } from '../../schedules/observe.ts';
import { handle, withJson } from '../command.ts';
import type { Session } from '../command.ts';
import type { Output } from '../output.ts';
import { Refusal } from '../refusal.ts';
import { paintAssessment, paintOutcome } from '../run-output.ts';
import { formatTable } from '../table.ts';
import { withHistory } from '../history-service.ts';
import { withTemporal } from '../temporal-service.ts';

export function addList(program: Command, signal: AbortSignal): void {
  const command = program
    .command('list')
    .summary('list the schedules on the server')
    .description('List the schedules on the server, with the last run and the next tick of each.');
  handle(withJson(command), signal, async (session) => {
    const schedules = await withTemporal(session.settings, async (client) => {
      const ids = await listScheduleIds(client);
      return (await forEachAtOnce(ids, (id) => observeSchedule(client, id))).filter(
        (schedule) => schedule !== undefined,
      );
    });
    const last = await readLastRuns(schedules, session);
    session.output.data({ schedules: schedules.map((schedule) => describeSchedule(schedule, last.get(schedule.id))) });
    session.output.line(
      schedules.length === 0 ? 'no schedules; actcore apply makes them' : formatList(schedules, last, session.output),
    );
  });
}

/** A history that is away takes away one column, not the list. */
async function readLastRuns(
  schedules: ObservedSchedule[],
  { settings, output }: Session,
): Promise<Map<string, RunRow>> {
  try {
    return await withHistory(settings, (pool) =>
      findLastRuns(
        pool,
        schedules.map(({ id }) => id),
      ),
    );
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    output.note(`last runs are not shown: ${error.message}`);
    return new Map();
  }
}

function describeSchedule({ id, order, paused, note, nextTicks, running }: ObservedSchedule, last: RunRow | undefined) {
  const { kind, title, owner } = order?.definition ?? {};
  return {
    id,
    kind,
    title,
    owner,
    paused,
    note: note ?? null,
    nextTick: nextTicks[0] ?? null,
    running,
    lastRun: last ?? null,
  };
}

function formatList(schedules: ObservedSchedule[], last: Map<string, RunRow>, output: Output): string {
  const { colors } = output;
  const rows = schedules.map((schedule) => {
    const run = last.get(schedule.id);
    return [
      schedule.id,
      schedule.order?.definition.kind ?? '',
      schedule.paused ? colors.yellow(schedule.note === disabledNote ? 'disabled' : 'paused') : 'on',
      schedule.paused ? '' : (schedule.nextTicks[0] ?? '').slice(0, 19).replace('T', ' '),
      run === undefined ? colors.dim('never') : run.scheduledAt.slice(0, 19).replace('T', ' '),
      run === undefined ? '' : paintOutcome(run.outcome, colors),
      run === undefined ? '' : paintAssessment(run.assessment, run.assessmentFailureCount, colors),
    ];
  });
  return formatTable(
    ['DEFINITION', 'KIND', 'STATE', 'NEXT (UTC)', 'LAST (UTC)', 'OUTCOME', 'ASSESSMENT'],
    rows,
    output,
  );
}
