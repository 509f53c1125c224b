/** One of the five fields: its bounds, and the names that may stand for its numbers. */
export interface CronField {
  name: 'minute' | 'hour' | 'day-of-month' | 'month' | 'day-of-week';
  min: number;
  /** 7 for the day of the week, where it is Sunday like 0. */
  max: number;
  names: readonly string[];
  /** The number that the first of `names` stands for. */
  firstNamed: number;
}

/** The fields in the order in which they are written. */
export const cronFields: readonly [CronField, CronField, CronField, CronField, CronField] = [
  { name: 'minute', min: 0, max: 59, names: [], firstNamed: 0 },
  { name: 'hour', min: 0, max: 23, names: [], firstNamed: 0 },
  { name: 'day-of-month', min: 1, max: 31, names: [], firstNamed: 0 },
  {
    name: 'month',
    min: 1,
    max: 12,
    names: ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'],
    firstNamed: 1,
  },
  { name: 'day-of-week', min: 0, max: 7, names: ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'], firstNamed: 0 },
];

/** What the nicknames stand for; each is what crontab(5) says. */
export const cronNicknames: ReadonlyMap<string, string> = new Map([
  ['@hourly', '0 * * * *'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@weekly', '0 0 * * 0'],
  ['@monthly', '0 0 1 * *'],
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
]);

/** The most days that a month can have, January first; the 29th of February comes. */
export const longestMonths: readonly number[] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
