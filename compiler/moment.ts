import type { Fault } from '../expressions/fault.ts';
import { startOfDay } from './timezone.ts';

/** What to say wherever a point in time is expected and something else stands. */
const momentExpectation = 'expected a date such as 2026-12-25 or an instant such as 2026-12-25T10:00:00Z';

/** A day of the calendar, without a zone. */
export interface CalendarDate {
  year: number;
  month: number;
  day: number;
}

/** Reads `2026-12-25`; undefined where the text is not of that form or the day does not exist. */
export function parseDate(text: string): CalendarDate | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!match) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(Date.UTC(year, month - 1, day));
  const isReal = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && year >= 1970;
  return isReal ? { year, month, day } : undefined;
}

/** Says what is wrong with a date or an instant; nothing when `readMoment` can read it. */
export function findMomentFault(text: string): Fault | undefined {
  if (parseDate(text) || isInstant(text)) return undefined;
  const isLocal = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2})?$/.test(text);
  const fault = { offset: 0, message: `\`${text}\` is not a point in time; ${momentExpectation}` };
  return isLocal ? { ...fault, hint: 'end it with Z or with an offset such as +02:00' } : fault;
}

/**
 * Turns a date or an instant into an ISO instant in UTC. A date is a day of the schedule's own zone: as a start it
 * begins with its midnight, as an end the whole day still counts.
 */
export function readMoment(text: string, timezone: string, edge: 'start' | 'end'): string {
  const date = parseDate(text);
  if (!date) return new Date(text).toISOString();
  const day = edge === 'start' ? date.day : date.day + 1;
  const instant = startOfDay(date.year, date.month, day, timezone);
  return new Date(edge === 'start' ? instant : instant - 1_000).toISOString();
}

function isInstant(text: string): boolean {
  const form = /^(\d{4}-\d{2}-\d{2})T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/.exec(text);
  return form !== null && parseDate(form[1] ?? '') !== undefined && !Number.isNaN(Date.parse(text));
}
