import type { Ending } from '../ending.ts';
import type { CheckResult } from './check-result.ts';
import type { FailureList } from './failure-list.ts';
import { countOf } from './watch-reasons.ts';

/** What a run of a watchdog came to, as far as it got. */
export interface Conclusion {
  results: CheckResult[];
  failures: FailureList;
  tookMs: number;
  /** What the operator has to know beside the numbers. */
  notes: string[];
}

/** How a run ended that was not interrupted: an automation error where a check broke, with all errors told. */
export function concludeWatch(conclusion: Conclusion): Ending {
  const { results, failures } = conclusion;
  const errors = results.flatMap(({ report: { name, error } }) => (error === undefined ? [] : [`${name}: ${error}`]));
  const told = summarizeWatch(conclusion);
  return {
    outcome: errors.length > 0 ? 'automation_error' : 'completed',
    reason: errors.length > 0 ? `${countOf(errors.length, 'broken check')}: ${errors.join('; ')}; ${told}` : told,
    assessed: results.some(({ report }) => report.mode !== 'block' && report.error === undefined),
    failures: failures.listed,
    failureCount: failures.count,
    checks: results.map(({ report }) => report),
  };
}

const counted = [
  ['cured', 'cured'],
  ['sent', 'sent'],
  ['simulated', 'simulated'],
  ['proposed', 'proposed'],
  ['failed', 'failed'],
  ['left', 'left'],
] as const;

/** "4 checks, 7 findings (3 cured, 4 left), 12 ms", and the notes. */
export function summarizeWatch({ results, tookMs, notes }: Conclusion): string {
  const sum = (read: (result: CheckResult) => number) => results.reduce((total, result) => total + read(result), 0);
  const blocked = sum(({ report }) => (report.mode === 'block' ? 1 : 0));
  const findings = sum(({ report }) => report.findings);
  const kinds: (readonly [string, number])[] = [
    ...counted.map(([field, word]) => [word, sum(({ report }) => report[field])] as const),
    ['cooling down', sum(({ coolingDown }) => coolingDown)],
    ['quarantined', sum(({ quarantined }) => quarantined)],
  ];
  const parts = kinds.filter(([, count]) => count > 0).map(([word, count]) => `${count} ${word}`);
  const checks = `${countOf(results.length, 'check')}${blocked > 0 ? ` (${blocked} blocked)` : ''}`;
  const told = `${countOf(findings, 'finding')}${parts.length > 0 ? ` (${parts.join(', ')})` : ''}`;
  return [`${checks}, ${told}, ${Math.round(tookMs)} ms`, ...notes].join('; ');
}
