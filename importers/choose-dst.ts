import { listClockChanges } from '../compiler/clock-change.ts';
import type { DstPolicy } from '../compiler/dst.ts';
import type { CronTimes } from './cron-line.ts';

/**
 * What is nearest to the daemon where the clocks are moved; nothing where they never are. A daemon that goes by the clock
 * repeats what is repeated, which for a job of every hour is `both`; for others it would also make up for what is skipped,
 * which no such daemon does. The others make up for what was skipped, and repeat nothing: `once`.
 */
export function chooseDst(
  { followsClock, isHourly }: Pick<CronTimes, 'followsClock' | 'isHourly'>,
  timezone: string,
  now: Date,
): { dst?: DstPolicy } {
  if (!movesClocks(timezone, now)) return {};
  if (!followsClock) return { dst: 'once' };
  return { dst: isHourly ? 'both' : 'skip' };
}

/** Whether the clocks of a zone are ever moved in the years around now. */
export function movesClocks(timezone: string, now: Date): boolean {
  return listClockChanges(timezone, now.getUTCFullYear()).length > 0;
}

/** One name for the zone that all clocks are set by. */
export function nameZone(timezone: string): string {
  return /^(Etc\/)?(UTC|UCT|Zulu|Universal|GMT)$/.test(timezone) ? 'UTC' : timezone;
}
