import { findTimezoneFault } from '../compiler/timezone.ts';
import type { Fault } from '../expressions/fault.ts';
import { readComponent, readWeekdays } from './calendar-items.ts';

/** A calendar event of systemd.time(7); undefined stands for any value. */
export interface CalendarEvent {
  weekdays: number[] | undefined;
  years: number[] | undefined;
  months: number[] | undefined;
  days: number[] | undefined;
  /** `days` count from the end of the month: 1 is its last day. */
  isFromEnd: boolean;
  hours: number[] | undefined;
  minutes: number[] | undefined;
  seconds: number[] | undefined;
  /** As it stands at the end of the event. */
  timezone?: string;
}

/** What the shorthands stand for; see systemd.time(7). */
const shorthands: ReadonlyMap<string, string> = new Map([
  ['minutely', '*-*-* *:*:00'],
  ['hourly', '*-*-* *:00:00'],
  ['daily', '*-*-* 00:00:00'],
  ['weekly', 'Mon *-*-* 00:00:00'],
  ['monthly', '*-*-01 00:00:00'],
  ['yearly', '*-01-01 00:00:00'],
  ['annually', '*-01-01 00:00:00'],
  ['quarterly', '*-01,04,07,10-01 00:00:00'],
  ['semiannually', '*-01,07-01 00:00:00'],
  ['semi-annually', '*-01,07-01 00:00:00'],
  ['biannually', '*-01,07-01 00:00:00'],
  ['bi-annually', '*-01,07-01 00:00:00'],
]);

const components = {
  years: { name: 'year', min: 1970, max: 2199 },
  months: { name: 'month', min: 1, max: 12 },
  days: { name: 'day', min: 1, max: 31 },
  hours: { name: 'hour', min: 0, max: 23 },
  minutes: { name: 'minute', min: 0, max: 59 },
  seconds: { name: 'second', min: 0, max: 59 },
};

interface Piece {
  text: string;
  offset: number;
}

class EventFault extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

/** Reads the value of `OnCalendar=`; offsets count from its start. */
export function readCalendarEvent(text: string): CalendarEvent | { fault: Fault } {
  try {
    return readPieces(text);
  } catch (error) {
    if (error instanceof EventFault) return { fault: error.fault };
    throw error;
  }
}

function readPieces(text: string): CalendarEvent {
  const pieces = [...text.matchAll(/\S+/g)].map((match) => ({ text: match[0], offset: match.index }));
  const last = pieces.at(-1);
  const zone =
    last && pieces.length > 1 && /^[A-Z]+[A-Za-z]*(\/|$)/.test(last.text) && !isWeekday(last) ? last : undefined;
  if (zone) requireZone(zone);
  const rest = zone ? pieces.slice(0, -1) : pieces;
  const timezone = zone === undefined ? {} : { timezone: zone.text };
  const [only] = rest;
  const meaning = rest.length === 1 && only ? shorthands.get(only.text.toLowerCase()) : undefined;
  if (meaning !== undefined) return { ...readPieces(meaning), ...timezone };
  const event: CalendarEvent = {
    ...{ weekdays: undefined, years: undefined, months: undefined, days: undefined, isFromEnd: false },
    ...{ hours: [0], minutes: [0], seconds: [0], ...timezone },
  };
  const queue = [...rest];
  if (queue[0] && isWeekday(queue[0])) event.weekdays = unwrap(readWeekdays(queue[0].text, queue.shift()?.offset ?? 0));
  if (queue[0] && !queue[0].text.includes(':')) readDate(event, queue.shift());
  if (queue[0]?.text.includes(':') === true) readTime(event, queue.shift());
  const [surplus] = queue;
  if (surplus || rest.length === 0) {
    const message = `\`${surplus?.text ?? text}\` is not a part of a calendar event`;
    const hint = 'expected [weekdays] [year-month-day] [hour:minute:second] [zone], or a word such as daily';
    throw new EventFault({ offset: surplus?.offset ?? 0, message, hint });
  }
  return event;
}

function isWeekday({ text }: Piece): boolean {
  return /^[A-Za-z]/.test(text) && /^(mon|tue|wed|thu|fri|sat|sun)/i.test(text);
}

function requireZone({ text, offset }: Piece): void {
  const fault = findTimezoneFault(text);
  if (fault) throw new EventFault({ ...fault, offset });
}

function unwrap(reading: { values: number[] } | { fault: Fault }): number[] {
  if ('fault' in reading) throw new EventFault(reading.fault);
  return reading.values;
}

function read(text: string, name: keyof typeof components, offset: number): number[] | undefined {
  const reading = readComponent(text, components[name], offset);
  if ('fault' in reading) throw new EventFault(reading.fault);
  return reading.values;
}

function readDate(event: CalendarEvent, { text, offset }: Piece = { text: '', offset: 0 }): void {
  const match = /^(?:([^-~]+)-)?([^-~]+)([-~])([^-~]+)$/.exec(text);
  if (!match) {
    const message = `\`${text}\` is not a date; expected one such as *-*-01 or 12-24`;
    throw new EventFault({ offset, message });
  }
  const [, year, month = '', sign, day = ''] = match;
  if (year !== undefined) event.years = read(year, 'years', offset);
  const monthAt = offset + (year === undefined ? 0 : year.length + 1);
  event.months = read(month, 'months', monthAt);
  event.isFromEnd = sign === '~';
  const dayAt = monthAt + month.length + 1;
  event.days = event.isFromEnd ? readFromEnd(day, dayAt) : read(day, 'days', dayAt);
}

/** Behind `~` days are counted from the end of the month, and a step goes on towards it: `07/1` is its last seven days. */
function readFromEnd(text: string, offset: number): number[] | undefined {
  if (text === '*') return undefined;
  const values = new Set<number>();
  for (const item of text.split(',')) {
    const match = /^(\d{1,2})(?:\.\.(\d{1,2}))?(?:\/(\d{1,2}))?$/.exec(item);
    const [first = 0, last, step] = [match?.[1], match?.[2], match?.[3]].map(
      (part) => part && Number(part),
    ) as number[];
    const isUnbounded = last === undefined && step !== undefined;
    if (!match || step === 0 || (last ?? first) < first || (isUnbounded && first - step < 1)) {
      const message = `\`${item}\` counts no days from the end of a month`;
      throw new EventFault({ offset, message, hint: 'expected one such as 01, 01..03 or 07/1' });
    }
    const [least, most] = [isUnbounded ? 1 : first, last ?? first];
    if (least < 1 || most > 28) throw new EventFault({ offset, message: `day ${item} is out of range; allowed: 1-28` });
    for (let day = most; day >= least; day -= step ?? 1) values.add(day);
  }
  return [...values].sort((left, right) => left - right);
}

function readTime(event: CalendarEvent, { text, offset }: Piece = { text: '', offset: 0 }): void {
  const [hours = '', minutes = '', seconds, ...more] = text.split(':');
  if (more.length > 0)
    throw new EventFault({ offset, message: `\`${text}\` is not a time; expected hour:minute:second` });
  event.hours = read(hours, 'hours', offset);
  const minutesAt = offset + hours.length + 1;
  event.minutes = read(minutes, 'minutes', minutesAt);
  if (seconds === undefined) return;
  const secondsAt = minutesAt + minutes.length + 1;
  if (/\.\d*[^0.\d]|\.\d*[1-9]/.test(seconds.replaceAll('..', ''))) {
    throw new EventFault({
      offset: secondsAt,
      message: `\`${seconds}\` is below a second`,
      hint: 'write whole seconds',
    });
  }
  event.seconds = read(seconds.replaceAll(/(\d)\.0+(?=\D|$)/g, '$1'), 'seconds', secondsAt);
}
