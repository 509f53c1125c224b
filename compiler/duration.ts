import type { Fault } from '../expressions/fault.ts';

/** What to say wherever a duration is expected and something else stands. */
export const durationExpectation = 'expected a duration such as 30s, 5m, 1h30m';

const millisecondsPerUnit: ReadonlyMap<string, number> = new Map([
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
]);

/** Longer ones are mistakes, and some of the servers behind us count in 32 bits. */
const longestMs = 366 * 86_400_000;

/**
 * Reads `1h30m` into milliseconds: numbers with the units d, h, m, s and ms, each once, the largest first.
 * `wholeSeconds` refuses ms, for what the server counts in seconds.
 */
export function parseDuration(text: string, wholeSeconds: boolean): { ms: number } | { fault: Fault } {
  if (/^\s*\d+(\.\d+)?\s*$/.test(text)) {
    return {
      fault: { offset: 0, message: `\`${text}\` has no unit; ${durationExpectation}`, hint: `write ${text.trim()}s` },
    };
  }
  const units = [...millisecondsPerUnit.keys()];
  let ms = 0;
  let offset = 0;
  let lowest = -1;
  for (const match of text.matchAll(/(\d+)(ms|[dhms])/gy)) {
    const rank = units.indexOf(match[2] ?? '');
    if (rank <= lowest)
      return { fault: { offset, message: `\`${match[0]}\` is out of order; ${durationExpectation}` } };
    if (wholeSeconds && match[2] === 'ms') {
      return { fault: { offset, message: `\`${match[0]}\` is below a second; expected whole seconds such as 30s` } };
    }
    ms += Number(match[1]) * (millisecondsPerUnit.get(match[2] ?? '') ?? 0);
    offset += match[0].length;
    lowest = rank;
  }
  if (offset < text.length || text === '') {
    return { fault: { offset, message: `\`${text}\` is not a duration; ${durationExpectation}` } };
  }
  if (ms > longestMs) return { fault: { offset: 0, message: `\`${text}\` is longer than 366d` } };
  return { ms };
}

/** Writes milliseconds as `parseDuration` reads them. */
export function formatDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, size] of millisecondsPerUnit) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}
