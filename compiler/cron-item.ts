import type { Fault } from '../expressions/fault.ts';
import { suggestName } from '../expressions/closest-name.ts';
import type { CronField } from './cron-fields.ts';

type ItemResult = { values: number[] } | { fault: Fault };

/** Reads one item of a field's comma list: `*`, `*` with a step, `7`, `MON`, `1-5`, `1-30/2`. Offsets count from the item. */
export function parseCronItem(item: string, field: CronField): ItemResult {
  const [range = '', step, ...more] = item.split('/');
  if (more.length > 0) return refuse(range.length + 1 + (step ?? '').length, `\`${item}\` has two steps`, field);
  const bounds = parseRange(range, field, step !== undefined);
  if ('fault' in bounds) return bounds;
  const width = step === undefined ? { step: 1 } : parseStep(step, range.length + 1, field);
  if ('fault' in width) return width;
  const values: number[] = [];
  for (let value = bounds.start; value <= bounds.end; value += width.step) values.push(value);
  return { values };
}

function parseRange(
  range: string,
  field: CronField,
  hasStep: boolean,
): { start: number; end: number } | { fault: Fault } {
  if (range === '*') return { start: field.min, end: field.max === 7 ? 6 : field.max };
  const dash = range.indexOf('-');
  if (dash === -1) {
    const only = parseValue(range, 0, field);
    if ('fault' in only) return only;
    if (!hasStep) return { start: only.value, end: only.value };
    const hint = `write \`${range}-${field.max === 7 ? 6 : field.max}/\` and the step`;
    return refuse(range.length, 'a step needs `*` or a range before it', field, hint);
  }
  const start = parseValue(range.slice(0, dash), 0, field);
  if ('fault' in start) return start;
  const last = range.slice(dash + 1);
  const end = parseValue(last, dash + 1, field);
  if ('fault' in end) return end;
  const isSundayLast = last.toUpperCase() === 'SUN' && start.value > 0;
  const endValue = isSundayLast ? 7 : end.value;
  if (start.value <= endValue) return { start: start.value, end: endValue };
  const isEndOfWeek = field.max === 7 && end.value === 0;
  const hint = isEndOfWeek
    ? 'Sunday at the end of a range is 7'
    : `write \`${start.value}-${field.max === 7 ? 6 : field.max},${field.min}-${end.value}\``;
  return refuse(0, `the range \`${range}\` runs backwards`, field, hint);
}

function parseValue(text: string, offset: number, field: CronField): { value: number } | { fault: Fault } {
  const named = field.names.indexOf(text.toUpperCase());
  if (named !== -1) return { value: named + field.firstNamed };
  if (/^\d{1,4}$/.test(text)) {
    const value = Number(text);
    if (value >= field.min && value <= field.max) return { value };
    return refuse(offset, `${field.name} ${text} is out of range`, field);
  }
  if (text === '') return refuse(offset, `a number is missing in the ${field.name}`, field);
  const hint = describeForeignSyntax(text) ?? (field.names.length > 0 ? suggestName(text, field.names, '') : '');
  return refuse(offset, `\`${text}\` is not a ${field.name}`, field, hint === '' ? undefined : hint);
}

function parseStep(text: string, offset: number, field: CronField): { step: number } | { fault: Fault } {
  const widest = field.max - field.min;
  const step = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (step >= 1 && step <= widest) return { step };
  const message = `the step \`${text}\` of the ${field.name} is out of range; allowed: 1-${widest}`;
  return { fault: { offset, message } };
}

/** Marks that other schedulers have and standard cron has not. */
function describeForeignSyntax(text: string): string | undefined {
  if (text === '?') return 'write `*`';
  if (/^H\b/.test(text)) return 'use `spread:` for a fixed offset of each definition';
  return /[LW#?]/.test(text) ? '`L`, `W`, `#` and `?` are not standard cron' : undefined;
}

function refuse(offset: number, what: string, field: CronField, hint?: string): { fault: Fault } {
  const names = field.names.length === 0 ? '' : ` or ${field.names[0]}-${field.names.at(-1)}`;
  const message = `${what}; allowed: ${field.min}-${field.max}${names}`;
  return { fault: hint === undefined ? { offset, message } : { offset, message, hint } };
}
