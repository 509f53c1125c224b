import { compileCron } from '../compiler/cron.ts';
import { cronFields, cronNicknames } from '../compiler/cron-fields.ts';
import type { CronField } from '../compiler/cron-fields.ts';
import { parseCronItem } from '../compiler/cron-item.ts';
import type { Fault } from '../expressions/fault.ts';
import { combineTimes } from './combine-times.ts';
import type { CombinedTimes } from './combine-times.ts';
import { everyMinute, isFull, writeCron } from './time-sets.ts';
import type { TimeSets } from './time-sets.ts';

/**
 * Whose reading of cron is meant. `vixie`: the daemons behind crontab(5), where a day field that begins with `*` counts
 * as unrestricted. `kubernetes`: robfig/cron, where one with a step does not, `?` is `*`, and `7/2` goes on to the end.
 */
export type CronDialect = 'vixie' | 'kubernetes';

/** The times of a cron text as a definition says them. */
export interface CronTimes extends CombinedTimes {
  /** Whether the daemon goes by the clock through a clock change: leaves out what is skipped, repeats what is repeated. */
  followsClock: boolean;
  /** Whether every hour of the day is named. */
  isHourly: boolean;
}

/** A field with what it matches, the 7 of Sunday as 0. */
interface ReadField {
  values: number[];
  text: string;
  isStar: boolean;
}

/** Reads five fields or a nickname; else all that is wrong with them, at offsets in the text. */
export function readCronText(text: string, dialect: CronDialect): CronTimes | { faults: Fault[] } {
  const plain = cronNicknames.get(text.toLowerCase()) ?? text;
  const words = [...plain.matchAll(/\S+/g)];
  if (plain.startsWith('@') || words.length !== 5) return explain(plain);
  const read = cronFields.map((field, index) => readField(words[index], field, dialect));
  const faults = read.flatMap((field) => ('faults' in field ? field.faults : []));
  const [minute, hour, day, month, weekday] = read.flatMap((field) => ('faults' in field ? [] : [field]));
  if (!minute || !hour || !day || !month || !weekday) return { faults };
  const sets = {
    ...{ minute: minute.values, hour: hour.values, month: month.values },
    ...{ day: day.values, weekday: weekday.values },
  };
  const times = sayTimes(sets, day.isStar || weekday.isStar);
  if (times === undefined || 'faults' in compileCron(times.cron)) {
    return { faults: [{ offset: 0, message: 'this never fires: no month has such a day' }] };
  }
  return {
    skip: times.skip,
    cron: hasSameMeaning(plain, times.cron) ? words.map(([word]) => word).join(' ') : times.cron,
    followsClock: dialect === 'kubernetes' || minute.text.startsWith('*') || hour.text.startsWith('*'),
    isHourly: isFull(sets, 'hour'),
  };
}

/** `isBoth`: the day of the month and that of the week have to match, not either of them. */
function sayTimes(sets: TimeSets, isBoth: boolean): CombinedTimes | undefined {
  if (isBoth) return combineTimes([sets]);
  const isEveryDay = isFull(sets, 'day') || isFull(sets, 'weekday');
  const { day, weekday } = everyMinute;
  return { cron: writeCron(isEveryDay ? { ...sets, day, weekday } : sets), skip: [] };
}

function hasSameMeaning(left: string, right: string): boolean {
  const [one, other] = [compileCron(left), compileCron(right)];
  return 'calendars' in one && 'calendars' in other && JSON.stringify(one) === JSON.stringify(other);
}

function explain(text: string): { faults: Fault[] } {
  const compiled = compileCron(text);
  return 'faults' in compiled ? compiled : { faults: [{ offset: 0, message: 'this is not a time' }] };
}

function readField(
  word: RegExpMatchArray | undefined,
  field: CronField,
  dialect: CronDialect,
): ReadField | { faults: Fault[] } {
  const text = word?.[0] ?? '';
  const values = new Set<number>();
  const faults: Fault[] = [];
  let offset = word?.index ?? 0;
  for (const item of text.split(',')) {
    const foreign = dialect === 'kubernetes' ? findForeignToKubernetes(item, field) : findForeignToVixie(item, field);
    const result = foreign ?? parseCronItem(dialect === 'kubernetes' ? respell(item, field) : item, field);
    if ('fault' in result) faults.push({ ...result.fault, offset: offset + result.fault.offset });
    else for (const value of result.values) values.add(field.max === 7 ? value % 7 : value);
    offset += item.length + 1;
  }
  if (faults.length > 0) return { faults };
  const isStar = dialect === 'vixie' ? text.startsWith('*') : /(^|,)[*?](\/1)?(,|$)/.test(text);
  return { values: [...values].sort((left, right) => left - right), text, isStar };
}

/** What robfig/cron reads and crontab(5) does not, in the words of the latter. */
function respell(item: string, field: CronField): string {
  const highest = field.max === 7 ? 6 : field.max;
  const [range = '', step] = item.replace('?', '*').split('/');
  if (step === undefined || item.split('/').length > 2) return item.replace('?', '*');
  const isSingle = range !== '*' && !range.includes('-');
  const spelled = isSingle ? `${range}-${highest}` : range;
  // A step beyond the field leaves its first value.
  const isTooWide = /^\d{1,9}$/.test(step) && Number(step) > field.max - field.min;
  return isTooWide ? (range === '*' ? `${field.min}` : (range.split('-')[0] ?? '')) : `${spelled}/${step}`;
}

function findForeignToKubernetes(item: string, field: CronField): { fault: Fault } | undefined {
  if (field.max !== 7) return undefined;
  const sevenAt = item.split('/')[0]?.search(/\b7\b/) ?? -1;
  if (sevenAt === -1 && !/^[a-z1-6]+-sun$/i.test(item)) return undefined;
  const message = `\`${item}\`: Kubernetes knows Sunday only as 0, and refuses this manifest`;
  return { fault: { offset: Math.max(0, sevenAt), message, hint: 'write 0 or SUN, and a range up to 6 and 0' } };
}

/** What our own cron reads and crontab(5) does not, and random times. */
function findForeignToVixie(item: string, { name, min, max }: CronField): { fault: Fault } | undefined {
  if (max === 7 && /^([1-6]|mon|tue|wed|thu|fri|sat)-sun(\/|$)/i.test(item)) {
    const message = `the range \`${item}\` runs backwards: for cron SUN is 0`;
    return { fault: { offset: 0, message, hint: 'Sunday at the end of a range is 7' } };
  }
  const offset = item.indexOf('~');
  if (offset === -1) return undefined;
  const [low, high] = item.split('~').map((text) => (/^\d{1,2}$/.test(text) ? Number(text) : undefined));
  const middle = Math.floor(((low ?? min) + (high ?? max)) / 2);
  const message = `\`${item}\` is a random ${name} that the daemon draws anew, so nobody can say when a run was due`;
  return { fault: { offset, message, hint: `write a fixed one, such as ${middle}` } };
}
