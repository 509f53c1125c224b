import type { Cadence, Calendar, CalendarRange, Firing, Order } from '../workflows/contract.ts';

/** Whoever presses Trigger in the Temporal UI or CLI: the server does not say who. */
const unnamedActor = 'temporal';

/**
 * Tells a tick from a firing by the Temporal UI's Trigger button, which carries a scheduled time like any other: it is
 * by hand when that time is not one of the schedule's.
 */
export function nameTrigger(order: Order, firing: Firing): Firing {
  if (firing.trigger !== 'schedule' || isTick(order.cadence, new Date(firing.scheduledAt))) return firing;
  return { ...firing, trigger: 'manual', actor: unnamedActor };
}

/** Whether the cadence fires at `moment`, as the server would compute it. */
export function isTick(cadence: Cadence, moment: Date): boolean {
  const time = moment.getTime();
  if (time % 1_000 !== 0) return false;
  // The server compares whole seconds at the start, and the exact time at the end.
  if (cadence.startAt !== undefined && time < Math.floor(Date.parse(cadence.startAt) / 1_000) * 1_000) return false;
  if (cadence.endAt !== undefined && time > Date.parse(cadence.endAt)) return false;
  const local = localFields(moment, cadence.timezone);
  if (cadence.skip.some((calendar) => matches(calendar, local))) return false;
  return (
    cadence.calendars.some((calendar) => matches(calendar, local)) ||
    cadence.intervals.some(({ everyMs, offsetMs }) => (time - offsetMs) % everyMs === 0)
  );
}

type LocalFields = Record<keyof Calendar, number>;

function matches(calendar: Calendar, local: LocalFields): boolean {
  return (Object.keys(local) as (keyof LocalFields)[]).every(
    (field) => calendar[field]?.some((range) => contains(range, local[field])) ?? true,
  );
}

function contains({ start, end, step }: CalendarRange, value: number): boolean {
  return value >= start && value <= end && (value - start) % step === 0;
}

const daysOfWeek = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function localFields(moment: Date, timezone: string): LocalFields {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: timezone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const parts = new Map(format.formatToParts(moment).map((part) => [part.type, part.value]));
  return {
    second: Number(parts.get('second')),
    minute: Number(parts.get('minute')),
    hour: Number(parts.get('hour')),
    dayOfMonth: Number(parts.get('day')),
    month: Number(parts.get('month')),
    year: Number(parts.get('year')),
    dayOfWeek: daysOfWeek.indexOf(parts.get('weekday') ?? ''),
  };
}
