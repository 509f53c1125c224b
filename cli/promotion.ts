import type { Evidence } from '../history/evidence.ts';
import type { WatchdogCheck, WatchdogPlan } from '../workflows/contract.ts';

/** Whether a check may be let act, judged by what its dry and simulated runs have shown. */
export interface Promotion {
  isEnough: boolean;
  /** Why it is not. */
  objections: string[];
  /** What to think of before, though it is enough. */
  cautions: string[];
}

/** Judges the evidence; `since` is how the operator said it. */
export function judgePromotion(
  check: WatchdogCheck,
  { maxActions, destructiveOk }: WatchdogPlan,
  evidence: Evidence,
): Promotion {
  const { runs, brokenRuns, runsWithFindings, overflowingRuns, mostFindings, lastError } = evidence;
  const { notCured, failed, cameBack, vanished, findings, simulated } = evidence;
  const objections = [
    ...(check.remedy === undefined ? ['it has no remedy, so there is nothing to let act'] : []),
    ...(check.destructive && !destructiveOk
      ? ['it is destructive, and destructive_ok is false: auto would be run as dry_run']
      : []),
    ...(runs === 0 ? ['there is no dry or simulated run of this contract'] : []),
    ...(runs > 0 && runs === brokenRuns ? ['all of its runs broke'] : []),
    ...(lastError !== null && runs !== brokenRuns ? [`its last run broke: ${lastError}`] : []),
    ...(runs > brokenRuns && runsWithFindings === 0
      ? ['nothing was found in these runs, so nothing is known of what it would do']
      : []),
    ...(mostFindings > maxActions
      ? [`${mostFindings} findings in one run are more than max_actions (${maxActions}): nothing would have been done`]
      : []),
    ...(overflowingRuns > 0
      ? [`${count(overflowingRuns, 'run')} had more findings than its limit (${check.limit})`]
      : []),
    ...(notCured > 0 ? [`its remedy did not cure ${count(notCured, 'time')} when it was simulated`] : []),
    ...(failed > 0 ? [`its remedy failed ${count(failed, 'time')} when it was simulated`] : []),
  ];
  const cautions = [
    ...(cameBack > 0 ? [`${count(cameBack, 'key')} came back after being gone: each would be acted on again`] : []),
    ...(vanished > 0 ? [`${vanished} of ${count(findings, 'finding')} went away without a remedy`] : []),
    ...(simulated === 0 && check.remedy !== undefined && 'sql' in check.remedy
      ? ['its remedy was never tried: mode sim does it and rolls back']
      : []),
  ];
  return { isEnough: objections.length === 0, objections, cautions };
}

/** `1 run`, `2 runs`. */
function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
