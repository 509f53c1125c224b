import { suggestName } from '../expressions/closest-name.ts';
import type { Fault } from '../expressions/fault.ts';
import type { Calendar } from '../workflows/contract.ts';
import { fullRanges, toRanges } from '../ticks/ranges.ts';
import { cronFields, cronNicknames, longestMonths } from './cron-fields.ts';
import type { CronField } from './cron-fields.ts';
import { parseCronItem } from './cron-item.ts';

/** A field as written, with what it matches; the 7 of Sunday has become 0. */
interface ParsedField {
  field: CronField;
  text: string;
  offset: number;
  values: number[];
}

const longestCron = 1_000;

/** Many definitions share a few texts. */
const compiled = new Map<string, CompiledCron>();
const mostCompiled = 1_000;

/** The calendars of a cron text, or all that is wrong with it. */
export type CompiledCron = { calendars: Calendar[] } | { faults: Fault[] };

const fieldOrder = 'minute hour day-of-month month day-of-week';

/**
 * Compiles a standard five-field cron text to calendars at second 0. Where day-of-month and day-of-week are both
 * restricted either may match, which is two calendars. All faults at once, each at its offset in the text.
 */
export function compileCron(text: string): CompiledCron {
  if (text.length > longestCron)
    return { faults: [{ offset: 0, message: `the cron text is longer than ${longestCron} characters` }] };
  const known = compiled.get(text);
  if (known) return known;
  const result = readCron(text);
  if (compiled.size >= mostCompiled) compiled.clear();
  compiled.set(text, result);
  return result;
}

function readCron(text: string): CompiledCron {
  const trimmed = text.trim();
  if (trimmed.startsWith('@')) return compileNickname(trimmed, text.indexOf('@'));
  const words = [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], offset: match.index }));
  const countFault = findCountFault(words);
  if (countFault) return { faults: [countFault] };
  const parsed = cronFields.map((field, index) => parseField(words[index] ?? { text: '', offset: 0 }, field));
  const faults = parsed.flatMap((result) => ('faults' in result ? result.faults : []));
  const fields = parsed.flatMap((result) => ('faults' in result ? [] : [result]));
  const [minute, hour, dayOfMonth, month, dayOfWeek] = fields;
  if (faults.length > 0 || !minute || !hour || !dayOfMonth || !month || !dayOfWeek) return { faults };
  const dateFault =
    findUnclearDays(dayOfMonth, dayOfWeek) ?? findImpossibleDate(dayOfMonth, month, dayOfWeek.text === '*');
  if (dateFault) return { faults: [dateFault] };
  const base = {
    second: [{ start: 0, end: 0, step: 1 }],
    minute: toRanges(minute.values),
    hour: toRanges(hour.values),
    month: toRanges(month.values),
  };
  const everyDay = { dayOfMonth: [fullRanges.dayOfMonth], dayOfWeek: [fullRanges.dayOfWeek] };
  const byDate: Calendar = { ...base, ...everyDay, dayOfMonth: toRanges(dayOfMonth.values) };
  const byWeekday: Calendar = { ...base, ...everyDay, dayOfWeek: toRanges(dayOfWeek.values) };
  if (dayOfWeek.text === '*') return { calendars: [byDate] };
  return { calendars: dayOfMonth.text === '*' ? [byWeekday] : [byDate, byWeekday] };
}

function compileNickname(nickname: string, offset: number): CompiledCron {
  const meaning = cronNicknames.get(nickname.toLowerCase());
  if (meaning !== undefined) return readCron(meaning);
  if (nickname.toLowerCase() === '@reboot') {
    const hint = 'a schedule belongs to the cluster and not to the start of a machine';
    return { faults: [{ offset, message: '`@reboot` is not a time', hint }] };
  }
  const names = [...cronNicknames.keys()];
  const hint = /^@every\s/.test(nickname)
    ? `write \`every: ${nickname.slice('@every'.length).trim()}\` instead of cron`
    : suggestName(nickname, names, `allowed: ${names.join(', ')}`);
  return { faults: [{ offset, message: `\`${nickname}\` is not a cron nickname`, hint }] };
}

function findCountFault(words: { text: string; offset: number }[]): Fault | undefined {
  const zone = words.find((word) => /^(CRON_)?TZ=/.test(word.text));
  if (zone) return { offset: zone.offset, message: `\`${zone.text}\` cannot stand here`, hint: 'use `timezone:`' };
  if (words.length === 5) return undefined;
  if (words.length > 5) {
    const message = `cron has five fields (${fieldOrder}), here are ${words.length}`;
    return { offset: words[5]?.offset ?? 0, message, hint: 'for seconds use `every:`, such as `{ every: 30s }`' };
  }
  const last = words.at(-1);
  const offset = last === undefined ? 0 : last.offset + last.text.length;
  return { offset, message: `cron has five fields (${fieldOrder}), here are ${words.length}` };
}

function parseField(word: { text: string; offset: number }, field: CronField): ParsedField | { faults: Fault[] } {
  const faults: Fault[] = [];
  const values: number[] = [];
  let offset = word.offset;
  for (const item of word.text.split(',')) {
    const result = parseCronItem(item, field);
    if ('fault' in result) faults.push({ ...result.fault, offset: offset + result.fault.offset });
    else values.push(...result.values.map((value) => (field.max === 7 ? value % 7 : value)));
    offset += item.length + 1;
  }
  return faults.length > 0 ? { faults } : { field, values, ...word };
}

/** With both days given, crons disagree whether a `*` with a step, or all days written out, counts as a restriction. */
function findUnclearDays(dayOfMonth: ParsedField, dayOfWeek: ParsedField): Fault | undefined {
  if (dayOfMonth.text === '*' || dayOfWeek.text === '*') return undefined;
  const unclear = [dayOfMonth, dayOfWeek].find(({ text, values, field }) => {
    return text.includes('*') || new Set(values).size === (field.max === 7 ? 7 : 31);
  });
  if (!unclear) return undefined;
  return {
    offset: unclear.offset,
    message: `\`${unclear.text}\` beside a restricted ${unclear === dayOfWeek ? 'day-of-month' : 'day-of-week'} means "and" to some crons and "or" to others`,
    hint: 'write `*`, or the days that are meant without a `*`',
  };
}

function findImpossibleDate(dayOfMonth: ParsedField, month: ParsedField, isAlone: boolean): Fault | undefined {
  const firstDay = Math.min(...dayOfMonth.values);
  const isPossible = month.values.some((value) => firstDay <= (longestMonths[value - 1] ?? 0));
  if (isPossible) return undefined;
  const message = `no month of \`${month.text}\` has a day ${firstDay}, so ${isAlone ? 'this never fires' : 'that date never comes'}`;
  return { offset: dayOfMonth.offset, message };
}
