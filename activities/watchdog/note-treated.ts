import type { WatchdogCheck } from '../../workflows/contract.ts';
import type { CheckResult } from './check-result.ts';
import type { Treated } from './finding.ts';
import { sealJson } from './seal.ts';
import type { Watch } from './watch.ts';
import { lookingReasons, watchReasons } from './watch-reasons.ts';

/** Writes what became of findings that a remedy was asked to cure into the check's report, the assessment and the observation. */
export function noteTreated(
  watch: Watch,
  check: WatchdogCheck,
  treated: Treated[],
  { report, observation }: CheckResult,
): void {
  const { failures, variables, redactData } = watch;
  const action = check.action ?? check.name;
  const ends = new Map<string, Treated>();
  for (const one of treated) {
    const { key } = one.finding;
    ends.set(sealJson(key, redactData), one);
    const error = one.error === undefined ? undefined : variables.redact(one.error);
    switch (one.outcome) {
      case 'cured':
      case 'sent':
        report[one.outcome] += 1;
        break;
      case 'simulated':
        report.simulated += 1;
        failures.add(check.name, key, watchReasons.simulated(action));
        break;
      case 'proposed':
        report.proposed += 1;
        failures.add(check.name, key, watchReasons.proposed(action, lookingReasons.mode));
        break;
      case 'not_cured':
      case 'failed': {
        report.failed += 1;
        failures.add(check.name, key, describeFailure(check, one.outcome, error));
        break;
      }
      case 'locked':
        report.left += 1;
        failures.add(check.name, key, watchReasons.rowsLocked);
        break;
      case 'gone':
        break;
    }
  }
  observation.findings = observation.findings.flatMap((seen) => {
    const end = ends.get(seen.key);
    // Somebody else has cured it meanwhile.
    if (end?.outcome === 'gone') return [];
    if (end === undefined || end.outcome === 'locked') return [seen];
    const error = end.error === undefined ? {} : { error: variables.redact(end.error) };
    return [{ ...seen, outcome: end.outcome, ...error }];
  });
}

function describeFailure(
  { action: stated, name, remedy }: WatchdogCheck,
  outcome: Treated['outcome'],
  error?: string,
): string {
  const action = stated ?? name;
  const isRequest = remedy !== undefined && 'request' in remedy;
  const failed = isRequest ? watchReasons.notAnswered(action) : watchReasons.failed(action);
  const told = outcome === 'not_cured' ? watchReasons.notCured(action) : failed;
  return error === undefined ? told : `${told}: ${error}`;
}
