import type { Command } from 'commander';
import { listRetired } from '../../history/chain.ts';
import { findLastRuns } from '../../history/queries.ts';
import type { RunRow } from '../../history/queries.ts';
import { disabledNote, retiredNotePrefix } from '../../schedules/desired.ts';
import { forEachAtOnce } from '../../schedules/each.ts';
import { listScheduleIds } from '../../schedules/listing.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import type { ObservedSchedule } from '../../schedules/observe.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import type { Output } from '../output.ts';
import { Refusal } from '../refusal.ts';
import { paintAssessment, paintOutcome } from '../run-output.ts';
import { formatTable } from '../table.ts';
import { withHistory } from '../history-service.ts';
import { withTemporal } from '../temporal-service.ts';

interface ListOptions extends CommonOptions {
  all?: boolean;
}

export function addList(program: Command, signal: AbortSignal): void {
  const command = program
    .command('list')
    .summary('list the schedules on the server')
    .description(
      'List the schedules on the server, with the last run and the next tick of each. A canary is no run here.',
    )
    .option('--all', 'also those that are retired');
  handle<ListOptions>(withJson(command), signal, async (session, { all }) => {
    const found = await withTemporal(session.settings, async (client) => {
      const ids = await listScheduleIds(client);
      return (await forEachAtOnce(ids, (id) => observeSchedule(client, id))).filter(
        (schedule) => schedule !== undefined,
      );
    });
    const { last, retired } = await readRecord(found, session);
    const schedules = found.filter(({ id }) => all === true || !retired.has(id));
    session.output.data({
      schedules: schedules.map((schedule) => ({
        ...describeSchedule(schedule, last.get(schedule.id)),
        retired: retired.has(schedule.id),
      })),
    });
    const hidden = found.length - schedules.length;
    session.output.line(
      schedules.length === 0
        ? 'no schedules; actcore apply makes them'
        : formatList(schedules, { last, retired }, session.output),
    );
    if (hidden > 0) session.output.note(`${hidden} retired: actcore list --all`);
  });
}

/** What the history adds to what the server says. */
interface Recorded {
  last: Map<string, RunRow>;
  retired: Set<string>;
}

/** A history that is away takes away one column, not the list; who is retired then shows by the note of the pause. */
async function readRecord(schedules: ObservedSchedule[], { settings, output }: Session): Promise<Recorded> {
  const ids = schedules.map(({ id }) => id);
  const noted = schedules.filter(({ paused, note }) => paused && note?.startsWith(retiredNotePrefix) === true);
  const retired = new Set(noted.map(({ id }) => id));
  try {
    return await withHistory(settings, async (pool) => {
      for (const { id } of await listRetired(pool)) retired.add(id);
      return { last: await findLastRuns(pool, ids), retired };
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    output.note(`last runs are not shown: ${error.message}`);
    return { last: new Map(), retired };
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

function formatList(schedules: ObservedSchedule[], { last, retired }: Recorded, output: Output): string {
  const { colors } = output;
  const rows = schedules.map((schedule) => {
    const run = last.get(schedule.id);
    return [
      schedule.id,
      schedule.order?.definition.kind ?? '',
      schedule.paused ? colors.yellow(nameState(schedule, retired)) : 'on',
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

function nameState({ id, note }: ObservedSchedule, retired: Set<string>): string {
  if (retired.has(id)) return 'retired';
  return note === disabledNote ? 'disabled' : 'paused';
}
