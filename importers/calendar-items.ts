import type { Fault } from '../expressions/fault.ts';
import { listNumbers } from './time-sets.ts';

/** A component of a calendar event: its bounds, and what it is called in an error. */
export interface CalendarComponent {
  name: string;
  min: number;
  max: number;
}

/** The values of a component such as `1,3..7/2,0/15`, sorted; undefined stands for `*`. */
export type ComponentReading = { values: number[] | undefined } | { fault: Fault };

/** Reads a component as systemd.time(7) has it. Offsets count from `offset`. */
export function readComponent(text: string, component: CalendarComponent, offset: number): ComponentReading {
  const { name, min, max } = component;
  if (text === '*') return { values: undefined };
  if (text.startsWith('*')) {
    const message = `\`${text}\` is not a ${name}: systemd has no step behind a star`;
    return { fault: { offset, message, hint: `write \`${min}${text.slice(1)}\`` } };
  }
  const values = new Set<number>();
  let at = offset;
  for (const item of text.split(',')) {
    const match = /^(\d{1,4})(?:\.\.(\d{1,4}))?(?:\/(\d{1,4}))?$/.exec(item);
    const [first, last, step] = [match?.[1], match?.[2], match?.[3]].map((part) =>
      part === undefined ? undefined : Number(part),
    );
    if (first === undefined)
      return { fault: { offset: at, message: `\`${item}\` is not a ${name}; allowed: ${min}-${max}` } };
    if (first < min || first > max || (last ?? first) > max)
      return { fault: { offset: at, message: `${name} ${item} is out of range; allowed: ${min}-${max}` } };
    if ((last ?? first) < first) return { fault: { offset: at, message: `the range \`${item}\` runs backwards` } };
    if (step === 0) return { fault: { offset: at, message: `the step of \`${item}\` is 0` } };
    if (last === undefined && step !== undefined && first + step > max) {
      return { fault: { offset: at, message: `the step of \`${item}\` leads beyond ${max}, which systemd refuses` } };
    }
    const end = last ?? (step === undefined ? first : max);
    for (const value of listNumbers(first, end, step ?? 1)) values.add(value);
    at += item.length + 1;
  }
  return { values: [...values].sort((left, right) => left - right) };
}

const weekdayNames = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

/** Reads weekdays such as `Mon,Wed..Fri`; Sunday is 0, and stands at the end of a range as it does for systemd. */
export function readWeekdays(text: string, offset: number): { values: number[] } | { fault: Fault } {
  const values = new Set<number>();
  let at = offset;
  for (const item of text.split(',')) {
    const [first, last] = item.split(/\.\.|-/).map(findWeekday);
    const isRange = /\.\.|-/.test(item);
    if (first === undefined || (isRange && last === undefined)) {
      return {
        fault: { offset: at, message: `\`${item}\` is not a day of the week; expected one such as Mon or Mon..Fri` },
      };
    }
    // Monday is the first for systemd, and Sunday the last.
    const [from, to] = [(first + 6) % 7, ((last ?? first) + 6) % 7];
    if (from > to)
      return { fault: { offset: at, message: `the range \`${item}\` runs backwards: a week begins with Monday` } };
    for (const value of listNumbers(from, to)) values.add((value + 1) % 7);
    at += item.length + 1;
  }
  return { values: [...values].sort((left, right) => left - right) };
}

function findWeekday(text: string): number | undefined {
  const name = text.toLowerCase();
  const found = weekdayNames.findIndex((day) => day === name || day.slice(0, 3) === name);
  return found === -1 ? undefined : found;
}
