import type { CheckObservation } from '../../history/watch-ledger.ts';
import type { CheckMode, CheckReport, WatchdogCheck } from '../../workflows/contract.ts';
import type { Watch } from './watch.ts';
import { lookingReasons } from './watch-reasons.ts';

/** What one check of a run did, and what it saw. */
export interface CheckResult {
  report: CheckReport;
  observation: CheckObservation;
  /** Findings that were left alone without being a failure. */
  quarantined: number;
  coolingDown: number;
  /** Whether it came to its end, broken or not. */
  isDone: boolean;
}

/** What a check is run as, and why that is milder than `auto` where it is. */
interface Manner {
  mode: CheckMode;
  why: string;
}

/** A result on which nothing stands yet. */
export function openResult(watch: Pick<Watch, 'order' | 'context'>, check: WatchdogCheck): CheckResult {
  const counts = { findings: 0, hasMore: false, cured: 0, sent: 0, simulated: 0, proposed: 0, failed: 0, left: 0 };
  const { mode } = chooseManner(watch, check);
  const report: CheckReport = { name: check.name, mode, contractHash: check.contractHash, ...counts, tookMs: 0 };
  const observation = { report, quarantineAfter: check.quarantineAfter, isComplete: false, findings: [] };
  return { report, observation, quarantined: 0, coolingDown: 0, isDone: false };
}

/** What a check is run as in this run. */
export function chooseManner({ order, context }: Pick<Watch, 'order' | 'context'>, check: WatchdogCheck): Manner {
  const { mode, destructive } = check;
  const mayAct = mode === 'auto' || mode === 'sim';
  if (mayAct && context.firing.dryRun === true) return { mode: 'dry_run', why: lookingReasons.firing };
  if (mode === 'auto' && destructive && !order.watchdog.destructiveOk) {
    return { mode: 'dry_run', why: lookingReasons.destructive };
  }
  return { mode, why: lookingReasons.mode };
}
