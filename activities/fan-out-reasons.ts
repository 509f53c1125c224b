import type { TargetTally } from '../workflows/contract.ts';
import { seconds } from './reasons.ts';

/** A few names of many: "a, b, c and 7 more". */
export function listSome(names: string[], count = names.length, most = 3): string {
  const shown = names.slice(0, most).join(', ');
  return count > most ? `${shown} and ${count - most} more` : shown;
}

/** How a fan-out stands: "3 targets: 2 completed, 1 failed". */
export function describeTally(tally: TargetTally): string {
  const { total, completed, failed, lockSkipped, notReached } = tally;
  if (total === 0) return 'the list of targets is empty: there was nothing to do';
  const parts = [
    completed > 0 || (failed === 0 && lockSkipped === 0 && notReached === 0) ? `${completed} completed` : '',
    failed > 0 ? `${failed} failed` : '',
    lockSkipped > 0 ? `${lockSkipped} held by another sweep's lock` : '',
    notReached > 0 ? `${notReached} not reached` : '',
  ];
  return `${total} target${total === 1 ? '' : 's'}: ${parts.filter((part) => part !== '').join(', ')}`;
}

/** How far a fan-out is: "120 of 200 targets, 3 failed". */
export function describeProgress({ total, completed, failed, lockSkipped }: TargetTally): string {
  const ended = completed + failed + lockSkipped;
  return `${ended} of ${total} targets${failed > 0 ? `, ${failed} failed` : ''}`;
}

/** Every sentence that says what became of a target of a fan-out, or what is wrong with the list of them. */
export const fanOutReasons = {
  budgetSpent: (maxSeconds: number) => `the budget of ${seconds(maxSeconds * 1_000)} ended before its turn came`,
  hardTimeoutBefore: (hardTimeoutMs: number) =>
    `the run reached its hard timeout of ${seconds(hardTimeoutMs)} before its turn came`,
  hardTimeoutDuring: (hardTimeoutMs: number) =>
    `it had not ended by the hard timeout of ${seconds(hardTimeoutMs)}; the request was aborted`,
  targetTimeout: (limitMs: number) => `it had not ended after ${seconds(limitMs)}, the most that one target may take`,
  cancelledBefore: 'someone cancelled the run before its turn came',
  cancelledDuring: 'someone cancelled the run while it was asked; whether it finished is unknown',
  lost: 'it ended, and what it said was lost with the worker that asked it',
  notReached: (tally: TargetTally, names: string[], maxSeconds: number) =>
    `the budget of ${seconds(maxSeconds * 1_000)} did not reach ${tally.notReached} of ${tally.total} targets (${listSome(names, tally.notReached)})`,
  hardTimeout: (hardTimeoutMs: number) => `the hard timeout of ${seconds(hardTimeoutMs)} aborted what was under way`,
  cancelled: 'someone cancelled the run',
  failures: (count: number) => `${count} assessment failure${count === 1 ? '' : 's'}`,
  lostFailures: (count: number) => `the text of ${count} of them was lost or is too much to keep`,
  failWhen: (expression: string) => `\`fail_when: ${expression}\` holds`,
  failWhenFailed: (message: string) => `each.fail_when could not be applied: ${message}`,
  listFailed: (reason: string) => `the list of targets could not be read: ${reason}`,
  notList: (found: string) => `each.targets gave ${found}, not a list`,
  tooMany: (count: number, most: number) => `the list has ${count} targets; one sweep takes at most ${most}`,
  noKey: (index: number, found: string, key: string) =>
    `target ${index} is ${found}; expected text, or a map with a text or a number at \`${key}\` (each.key)`,
  duplicate: (name: string, first: number, second: number) =>
    `the list names \`${name}\` twice (items ${first} and ${second}); each target must have a name of its own`,
} as const;
