import { CronExpressionParser } from 'cron-parser';
import { offsetAt as readOffset } from '../ticks/zone-offset.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

/** Many lines of a crontab share their days, and all of them their zone. */
const knownMatches = new Map<string, number[]>();
const knownOffsets = new Map<string, number>();

/** What crontab(5) says they stand for. */
const nicknames: Record<string, string> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/**
 * The firings of a cron text from one instant on and before another, read without any code that importing uses: the
 * fields by the library cron-parser, one by one; how the days go together and what becomes of a clock change by the
 * documentation of the daemon. Epoch milliseconds, rising.
 */
export function listCronTimes(
  { text, dialect, timezone }: { text: string; dialect: 'vixie' | 'kubernetes'; timezone: string },
  fromMs: number,
  toMs: number,
): number[] {
  const plain = nicknames[text.toLowerCase()] ?? text;
  const [minute = '', hour = '', day = '', month = '', weekday = ''] = plain.trim().split(/\s+/);
  const span = [fromMs - 2 * dayMs, toMs + 2 * dayMs] as const;
  const byDate = listMatches(`0 0 ${day} ${month} *`, ...span);
  const byWeekday = new Set(listMatches(`0 0 * ${month} ${weekday}`, ...span));
  const isBoth = [day, weekday].some((field) => isUnrestricted(field, dialect));
  const dates = isBoth
    ? byDate.filter((date) => byWeekday.has(date))
    : [...new Set([...byDate, ...byWeekday])].sort((left, right) => left - right);
  const midnight = Date.UTC(2001, 0, 1);
  const times = listMatches(`${minute} ${hour} * * *`, midnight, midnight + dayMs).map((time) => time - midnight);
  const followsClock = dialect === 'kubernetes' || minute.startsWith('*') || hour.startsWith('*');
  const instants = new Set<number>();
  for (const date of dates) {
    const isPlain = offsetAt(timezone, date - dayMs) === offsetAt(timezone, date + 2 * dayMs);
    const offset = offsetAt(timezone, date);
    for (const time of times) {
      if (isPlain) instants.add(date + time - offset);
      else for (const instant of placeNearChange(date + time, timezone, followsClock)) instants.add(instant);
    }
  }
  return [...instants].filter((instant) => instant >= fromMs && instant < toMs).sort((left, right) => left - right);
}

/** Vixie cron looks at the first character alone; robfig/cron at each item of the list, and not where it has a step. */
function isUnrestricted(field: string, dialect: 'vixie' | 'kubernetes'): boolean {
  if (dialect === 'vixie') return field.startsWith('*');
  return field.split(',').some((item) => ['*', '?', '*/1', '?/1'].includes(item));
}

/** The matches of a cron text in UTC. The library refuses a list that names a value twice, so each item is asked by itself. */
function listMatches(text: string, fromMs: number, toMs: number): number[] {
  const texts = text
    .split(' ')
    .reduce<string[]>(
      (heads, field) => heads.flatMap((head) => field.split(',').map((item) => `${head} ${item}`)),
      [''],
    )
    .map((one) => one.trim());
  const matches = new Set(texts.flatMap((one) => listPlainMatches(one, fromMs, toMs)));
  return [...matches].sort((left, right) => left - right);
}

/** A date that never comes has none. */
function listPlainMatches(text: string, fromMs: number, toMs: number): number[] {
  const key = `${text} ${fromMs} ${toMs}`;
  const known = knownMatches.get(key);
  if (known) return known;
  const matches: number[] = [];
  const options = { currentDate: new Date(fromMs - 1_000), endDate: new Date(toMs - 1_000), tz: 'UTC' };
  const isNever = /^0 0 3[01](-31)?(\/\d+)? /.test(text);
  try {
    const expression = CronExpressionParser.parse(text, options);
    while (expression.hasNext()) matches.push(expression.next().getTime());
  } catch (error) {
    if (!isNever) throw error;
  }
  knownMatches.set(key, matches);
  return matches;
}

/**
 * The instants of a local time on a day on which the clocks are moved. A daemon that goes by the clock fires whenever
 * that shows it. Vixie cron fires the others once, and those that were skipped as soon as the clocks have been moved:
 * see "daylight saving" in cron(8).
 */
function placeNearChange(local: number, timezone: string, followsClock: boolean): number[] {
  const offsets = [offsetAt(timezone, local - dayMs), offsetAt(timezone, local + dayMs)];
  const shown = [...new Set(offsets.map((offset) => local - offset))]
    .filter((instant) => instant + offsetAt(timezone, instant) === local)
    .sort((left, right) => left - right);
  if (followsClock) return shown;
  if (shown.length > 0) return shown.slice(0, 1);
  return [findChange(local - Math.max(...offsets) - hourMs, timezone)];
}

/** The first moment after an instant at which the clocks are moved, to the minute. */
function findChange(afterMs: number, timezone: string): number {
  const before = offsetAt(timezone, afterMs);
  let instant = afterMs;
  while (offsetAt(timezone, instant) === before && instant < afterMs + dayMs) instant += 60_000;
  return instant;
}

function offsetAt(timezone: string, instantMs: number): number {
  const key = `${timezone} ${instantMs}`;
  const offset = knownOffsets.get(key) ?? readOffset(timezone, instantMs);
  knownOffsets.set(key, offset);
  return offset;
}
