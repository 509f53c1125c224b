import { InvalidArgumentError } from 'commander';
import { parseSince } from './since.ts';

/** Reads a length of time such as 90s, 5m or 2h, in milliseconds. */
export function parseSpan(text: string): number {
  const now = new Date();
  if (/^\d+[smhd]$/.test(text)) return now.getTime() - parseSince(text, now).getTime();
  throw new InvalidArgumentError('Expected a span such as 90s, 5m or 2h.');
}
