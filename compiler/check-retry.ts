import { formatDuration, parseDuration } from './duration.ts';
import { isMapping } from './mapping.ts';
import type { Remark } from './remark.ts';

/** Warns of what `retry` says without effect: keys for further attempts where there is one, and attempts that never come. */
export function checkRetry({ retry, budget }: Record<string, unknown>): Remark[] {
  if (!isMapping(retry)) return [];
  const { attempts = 1, backoff } = retry;
  if (attempts === 1) {
    return ['backoff', 'idempotent'].flatMap((key): Remark[] => {
      if (retry[key] === undefined || retry[key] === false) return [];
      const message = `\`${key}\` has no effect where a request is tried once`;
      return [{ path: ['retry', key], atKey: true, message, hint: 'write `attempts: 3`', isWarning: true }];
    });
  }
  const first = typeof backoff === 'string' ? parseDuration(backoff, false) : { ms: 1_000 };
  const seconds = isMapping(budget) ? budget['max_seconds'] : undefined;
  if (typeof attempts !== 'number' || attempts > 10 || typeof seconds !== 'number' || !('ms' in first)) return [];
  const pausesMs = first.ms * (2 ** (attempts - 1) - 1);
  if (pausesMs < seconds * 1_000) return [];
  const message = `the pauses between ${attempts} attempts take ${formatDuration(pausesMs)}, and the budget is ${formatDuration(seconds * 1_000)}`;
  const hint = 'the last attempts would never come; take fewer, or a shorter `backoff`';
  return [{ path: ['retry', 'attempts'], message, hint, isWarning: true }];
}
