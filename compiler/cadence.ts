import { hash } from 'node:crypto';
import type { Cadence, Calendar, CalendarRange } from '../workflows/contract.ts';
import { fullRanges } from './calendar-ranges.ts';
import { compileCron } from './cron.ts';
import { applyDst } from './dst.ts';
import type { DstPolicy } from './dst.ts';
import { formatDuration } from './duration.ts';
import { parseDate, readMoment } from './moment.ts';
import type { Remark } from './remark.ts';

/** A schedule whose every key is well-formed by itself; durations are milliseconds. */
export interface ScheduleKeys {
  cron?: Calendar[] | undefined;
  every?: number | undefined;
  timezone: string;
  jitter?: number | undefined;
  spread?: number | undefined;
  start?: string | undefined;
  end?: string | undefined;
  skip?: string[] | undefined;
  dst?: DstPolicy | undefined;
}

/** A calendar can name a second and nothing beyond it. */
const widestCronSpreadMs = 59_000;

/** What is wrong with a schedule as a whole; paths count from the schedule. */
export function checkSchedule(schedule: ScheduleKeys): Remark[] {
  const remarks: Remark[] = [];
  const { cron, every, spread, start, end, timezone } = schedule;
  if (cron === undefined && every === undefined) {
    remarks.push({ path: [], message: 'the schedule says no time; expected `cron:` or `every:`' });
  }
  if (cron !== undefined && every !== undefined) {
    remarks.push({
      path: ['every'],
      atKey: true,
      message: 'the schedule has both `cron` and `every`',
      hint: 'keep one',
    });
  }
  if (cron !== undefined && spread !== undefined && spread > widestCronSpreadMs) {
    const message = `\`spread\` is ${formatDuration(spread)}; with cron it is at most 59s, because it moves the second only`;
    remarks.push({ path: ['spread'], message });
  }
  if (every !== undefined && spread !== undefined && spread > every) {
    const message = `\`spread\` is ${formatDuration(spread)}, longer than the interval of ${formatDuration(every)}`;
    remarks.push({ path: ['spread'], message });
  }
  if (
    start !== undefined &&
    end !== undefined &&
    readMoment(end, timezone, 'end') < readMoment(start, timezone, 'start')
  ) {
    remarks.push({ path: ['end'], message: `\`end\` (${end}) is before \`start\` (${start}), so this never fires` });
  }
  return remarks;
}

/**
 * Compiles a checked schedule. `id` decides the fixed offset below `spread`: the second of a calendar, the phase of
 * an interval. `fromYear` is the first year whose clock changes are written out; without it none are, which is what a
 * contract is hashed by.
 */
export function compileCadence(schedule: ScheduleKeys, id: string, fromYear?: number): Cadence {
  const { timezone, every, start, end } = schedule;
  const offsetSeconds = spreadOffset(id, Math.floor((schedule.spread ?? 0) / 1_000));
  const second = [{ start: offsetSeconds, end: offsetSeconds, step: 1 }];
  const secondMs = offsetSeconds * 1_000;
  const plain = (schedule.cron ?? []).map((calendar) => ({ ...calendar, second }));
  const policy = schedule.dst ?? 'once';
  const { calendars, intervals } =
    fromYear === undefined || plain.length === 0
      ? { calendars: plain, intervals: [] }
      : applyDst(plain, { timezone, policy, secondMs, fromYear });
  return {
    timezone,
    calendars,
    intervals: every === undefined ? intervals : [{ everyMs: every, offsetMs: secondMs }],
    skip: (schedule.skip ?? []).flatMap(compileSkip),
    jitterMs: schedule.jitter ?? 0,
    ...(start === undefined ? {} : { startAt: readMoment(start, timezone, 'start') }),
    ...(end === undefined ? {} : { endAt: readMoment(end, timezone, 'end') }),
  };
}

/** The same id always gets the same offset, and ids are spread evenly; 0 where there is no room. */
function spreadOffset(id: string, roomSeconds: number): number {
  if (roomSeconds < 1) return 0;
  return Number.parseInt(hash('sha256', id, 'hex').slice(0, 8), 16) % roomSeconds;
}

/** A skip holds for whole minutes or whole days, whichever second the firing has. */
function compileSkip(text: string): Calendar[] {
  const second = [fullRanges.second];
  const date = parseDate(text);
  if (!date) {
    const cron = compileCron(text);
    return 'calendars' in cron ? cron.calendars.map((calendar) => ({ ...calendar, second })) : [];
  }
  const only = (value: number): CalendarRange[] => [{ start: value, end: value, step: 1 }];
  return [
    {
      second,
      minute: [fullRanges.minute],
      hour: [fullRanges.hour],
      dayOfMonth: only(date.day),
      month: only(date.month),
      dayOfWeek: [fullRanges.dayOfWeek],
      year: only(date.year),
    },
  ];
}
