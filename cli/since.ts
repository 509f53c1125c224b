import { InvalidArgumentError } from 'commander';

const unitsMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

const isoTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/;

/** Reads the value of `--since`: a span back from now (90m, 72h, 7d) or an ISO time, in UTC unless it says otherwise. */
export function parseSince(text: string, now: Date = new Date()): Date {
  const moment = readSpan(text, now) ?? readTime(text);
  if (moment !== undefined && !Number.isNaN(moment.getTime())) return moment;
  throw new InvalidArgumentError('Expected a span such as 90m, 72h or 7d, or a time such as 2026-11-21T03:00Z.');
}

function readSpan(text: string, now: Date): Date | undefined {
  const [, count, unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  return count === undefined ? undefined : new Date(now.getTime() - Number(count) * (unitsMs[unit] ?? Number.NaN));
}

/** Every time is printed in UTC, so one without a zone is read as such. */
function readTime(text: string): Date | undefined {
  const [matched, time, , , zone] = isoTime.exec(text) ?? [];
  if (matched === undefined) return undefined;
  return new Date(time !== undefined && zone === undefined ? `${text}Z` : text);
}

/** Reads a whole number of at least one. */
export function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isSafeInteger(count) || count < 1)
    throw new InvalidArgumentError('Expected a whole number of at least 1.');
  return count;
}
