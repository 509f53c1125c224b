import { DAYS_OF_WEEK, MONTHS } from '@temporalio/client';
import type { CalendarSpec, ScheduleSpec, ScheduleSpecDescription } from '@temporalio/client';
import { fromRanges, toRanges } from '../ticks/ranges.ts';
import type { Cadence, Calendar, CalendarRange } from '../workflows/contract.ts';

/** The cadence as Temporal takes it. Calendars only, never cron text: Temporal reads cron in its own way and forgets the text. */
export function compileSpec(cadence: Cadence): ScheduleSpec {
  return {
    calendars: cadence.calendars.map(compileCalendar),
    intervals: cadence.intervals.map(({ everyMs, offsetMs }) => ({ every: everyMs, offset: offsetMs })),
    skip: cadence.skip.map(compileCalendar),
    timezone: cadence.timezone,
    jitter: cadence.jitterMs,
    ...(cadence.startAt === undefined ? {} : { startAt: new Date(cadence.startAt) }),
    ...(cadence.endAt === undefined ? {} : { endAt: new Date(cadence.endAt) }),
  };
}

/** The cadence that a schedule on the server stands for: the inverse of `compileSpec`, for comparing what was stored. */
export function decompileSpec(spec: ScheduleSpecDescription): Cadence {
  return {
    timezone: spec.timezone === undefined || spec.timezone === '' ? 'UTC' : spec.timezone,
    calendars: (spec.calendars ?? []).map(decompileCalendar),
    intervals: (spec.intervals ?? []).map(({ every, offset }) => ({ everyMs: every, offsetMs: offset ?? 0 })),
    skip: (spec.skip ?? []).map(decompileCalendar),
    jitterMs: spec.jitter ?? 0,
    ...(spec.startAt === undefined ? {} : { startAt: spec.startAt.toISOString() }),
    ...(spec.endAt === undefined ? {} : { endAt: spec.endAt.toISOString() }),
  };
}

/** The same times in the one way that the compiler writes them; an edit elsewhere may have named each minute by itself. */
export function normalizeCadence(cadence: Cadence): Cadence {
  return {
    ...cadence,
    calendars: cadence.calendars.map(normalizeCalendar),
    skip: cadence.skip.map(normalizeCalendar),
  };
}

function normalizeCalendar({ year, ...fields }: Calendar): Calendar {
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = fields;
  const normalize = (ranges: CalendarRange[]) => toRanges(fromRanges(ranges));
  return {
    second: normalize(second),
    minute: normalize(minute),
    hour: normalize(hour),
    dayOfMonth: normalize(dayOfMonth),
    month: normalize(month),
    dayOfWeek: normalize(dayOfWeek),
    ...(year === undefined ? {} : { year }),
  };
}

function compileCalendar({ month, dayOfWeek, ...rest }: Calendar): CalendarSpec {
  return {
    ...rest,
    month: month.map((range) => nameEnds(range, MONTHS, 1)),
    dayOfWeek: dayOfWeek.map((range) => nameEnds(range, DAYS_OF_WEEK, 0)),
  };
}

type CalendarDescription = NonNullable<ScheduleSpecDescription['calendars']>[number];

function decompileCalendar(calendar: CalendarDescription): Calendar {
  const { second, minute, hour, dayOfMonth, month, dayOfWeek, year } = calendar;
  return {
    ...{ second, minute, hour, dayOfMonth },
    month: month.map((range) => countEnds(range, MONTHS, 1)),
    dayOfWeek: dayOfWeek.map((range) => countEnds(range, DAYS_OF_WEEK, 0)),
    ...(year.length === 0 ? {} : { year }),
  };
}

function nameEnds<Name>(range: CalendarRange, names: readonly Name[], first: number) {
  return { start: nameAt(names, range.start - first), end: nameAt(names, range.end - first), step: range.step };
}

function nameAt<Name>(names: readonly Name[], index: number): Name {
  const name = names[index];
  if (name === undefined) throw new RangeError(`a calendar has no name for ${index}`);
  return name;
}

function countEnds<Name>(
  range: { start: Name; end: Name; step: number },
  names: readonly Name[],
  first: number,
): CalendarRange {
  return { start: names.indexOf(range.start) + first, end: names.indexOf(range.end) + first, step: range.step };
}
