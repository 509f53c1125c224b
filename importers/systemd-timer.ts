import { formatDuration } from '../compiler/duration.ts';
import type { Problem } from '../compiler/problem.ts';
import { readCalendarEvent } from './calendar-event.ts';
import type { CalendarEvent } from './calendar-event.ts';
import { movesClocks } from './choose-dst.ts';
import { sayEvents } from './event-times.ts';
import type { JobSchedule, OriginalTimes } from './found-job.ts';
import { isYes, listValues, readValue } from './unit-file.ts';
import type { Unit, UnitEntry } from './unit-file.ts';
import { readUnitSpan } from './unit-span.ts';

/** When a timer fires, as a definition says it. */
export interface TimerTimes {
  schedule: JobSchedule;
  times: OriginalTimes;
  misfirePolicy?: 'run_once';
  jitterMs?: number;
  notes: string[];
}

const monotonic = ['OnActiveSec', 'OnBootSec', 'OnStartupSec', 'OnUnitActiveSec', 'OnUnitInactiveSec'];

/** Reads the [Timer] section; undefined where its problems say why there is nothing. */
export function readTimer(
  unit: Unit,
  place: { file: string; timezone: string; now: Date },
): { timer?: TimerTimes; problems: Problem[] } {
  const settings = listValues(unit, 'Timer', 'OnCalendar', ...monotonic);
  const calendars = settings.filter(({ key }) => key === 'OnCalendar');
  const others = settings.filter(({ key }) => key !== 'OnCalendar');
  const read = calendars.length > 0 ? readCalendars(calendars, place) : readInterval(others, place);
  if ('problems' in read) return read;
  const notes = [...read.notes, ...describeDelays(unit)];
  if (calendars.length > 0 && others.length > 0) {
    const names = [...new Set(others.map(({ key, value }) => `${key}=${value}`))].join(', ');
    notes.push(
      `${names} is left out: beside OnCalendar= it adds a run some time after the machine or the timer was started.`,
    );
  }
  const delay = readSpan(unit, 'RandomizedDelaySec');
  const isPersistent = isYes(readValue(unit, 'Timer', 'Persistent')) && calendars.length > 0;
  const timer: TimerTimes = {
    ...{ schedule: read.schedule, times: read.times, notes },
    ...(isPersistent ? { misfirePolicy: 'run_once' as const } : {}),
    ...(delay !== undefined && delay >= 1 && Number.isFinite(delay) ? { jitterMs: delay } : {}),
  };
  return { timer, problems: [] };
}

type Read = { schedule: JobSchedule; times: OriginalTimes; notes: string[] } | { problems: Problem[] };

function problemAt({ file, line, column }: UnitEntry, offset: number, message: string, hint?: string): Problem {
  const problem = { file, line, column: column + offset, path: '', severity: 'error' as const, message };
  return hint === undefined ? problem : { ...problem, hint };
}

function readCalendars(entries: readonly UnitEntry[], { timezone, now }: { timezone: string; now: Date }): Read {
  const problems: Problem[] = [];
  const events: CalendarEvent[] = [];
  for (const entry of entries) {
    const event = readCalendarEvent(entry.value);
    if ('fault' in event) problems.push(problemAt(entry, event.fault.offset, event.fault.message, event.fault.hint));
    else events.push(event);
  }
  const [first] = entries;
  if (problems.length > 0 || first === undefined) return { problems };
  const zones = [...new Set(events.map((event) => event.timezone ?? timezone))];
  const [zone = timezone] = zones;
  if (zones.length > 1) {
    const message = `the entries name different zones (${zones.join(', ')}), and a definition has one`;
    return { problems: [problemAt(first, 0, message, 'make a timer of each zone and import them one by one')] };
  }
  const said = sayEvents(events);
  if ('message' in said) return { problems: [problemAt(first, 0, said.message, said.hint)] };
  const { secondsLate, ...keys } = said;
  // A skipped time does not fire, and a repeated one fires once: seen from systemd-analyze, and from calendarspec.c.
  const dst = keys.cron !== undefined && movesClocks(zone, now) ? { dst: 'skip' as const } : {};
  return {
    schedule: { ...keys, timezone: zone, ...dst },
    times: { kind: 'calendar', events: entries.map(({ value }) => value), timezone },
    notes:
      secondsLate === 0 ? [] : [`A definition fires at the full minute, so each run begins ${secondsLate} s earlier.`],
  };
}

/** Monotonic timers count from something that happened on the machine; only an interval can be taken over. */
function readInterval(entries: readonly UnitEntry[], { file, timezone }: { file: string; timezone: string }): Read {
  const [first] = entries;
  if (first === undefined) {
    const message = 'the timer says no time: there is neither OnCalendar= nor OnUnitActiveSec= in [Timer]';
    return { problems: [{ file, line: 1, column: 1, path: '', severity: 'error', message }] };
  }
  const interval = entries.findLast(({ key }) => key === 'OnUnitActiveSec' || key === 'OnUnitInactiveSec');
  if (interval === undefined) {
    const message = `${first.key}= fires once after the machine or the timer was started, and there is no such moment in a cluster`;
    return { problems: [problemAt(first, 0, message, 'leave it to systemd, or give it times by OnCalendar=')] };
  }
  const ms = readUnitSpan(interval.value);
  if (ms === undefined || !Number.isFinite(ms) || ms < 1_000 || ms > 366 * 86_400_000) {
    const message = `\`${interval.value}\` is no interval from 1s to 366d`;
    return { problems: [problemAt(interval, 0, message)] };
  }
  const every = formatDuration(Math.floor(ms / 1_000) * 1_000);
  const since = interval.key === 'OnUnitActiveSec' ? 'was started' : 'had ended';
  const why = `systemd counts ${every} from when the run before ${since}; a definition counts it from the epoch, in UTC`;
  const left = entries.filter((entry) => entry !== interval).map(({ key, value }) => `${key}=${value}`);
  return {
    schedule: { every, timezone, skip: [] },
    times: { kind: 'unknowable', why },
    notes: [
      `${why[0]?.toUpperCase() ?? ''}${why.slice(1)}.`,
      ...(left.length === 0
        ? []
        : [`${left.join(', ')} is left out: it is the first run after the machine was started.`]),
    ],
  };
}

function readSpan(unit: Unit, key: string): number | undefined {
  const entry = readValue(unit, 'Timer', key);
  return entry === undefined ? undefined : readUnitSpan(entry.value);
}

function describeDelays(unit: Unit): string[] {
  const notes: string[] = [];
  const delay = readSpan(unit, 'RandomizedDelaySec');
  if (delay !== undefined && delay >= 1 && Number.isFinite(delay)) {
    const isFixed = isYes(readValue(unit, 'Timer', 'FixedRandomDelay'));
    const same = isFixed ? ' FixedRandomDelay= kept it the same on one machine; here it is drawn anew each time.' : '';
    notes.push(
      `RandomizedDelaySec= has become \`jitter\`: a start is up to ${formatDuration(delay)} after its tick.${same}`,
    );
  }
  const accuracy = readSpan(unit, 'AccuracySec') ?? 60_000;
  if (accuracy > 60_000) {
    const span = formatDuration(accuracy);
    notes.push(
      `AccuracySec= lets systemd start it up to ${span} late; here it starts on its tick. Compare with a tolerance of ${span}.`,
    );
  }
  for (const key of ['OnClockChange', 'OnTimezoneChange', 'WakeSystem']) {
    if (isYes(readValue(unit, 'Timer', key))) notes.push(`${key}= is left out: it is about the machine.`);
  }
  return notes;
}
