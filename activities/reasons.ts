import type { Interruption } from './deadline.ts';

/** Milliseconds as an operator reads them: "1.5 s". */
export function seconds(milliseconds: number): string {
  return `${Number((milliseconds / 1000).toFixed(1))} s`;
}

/** Every sentence that says why a run ended as it did. */
export const reasons = {
  completed: (status: number, failures: number) =>
    failures === 0
      ? `the target answered ${status}`
      : `the target answered ${status} and reported ${failures} assessment failure${failures === 1 ? '' : 's'}`,
  lockSkipped: 'the target said that another sweep holds its lock',
  automationErrorReported: (status: number, told: string) => `the target answered ${status} and reported ${told}`,
  automationRule: (message: string) => `the target reported an error of its own automation (C-00): ${message}`,
  badStatus: (status: number, start: string) =>
    `the target answered ${status}${start === '' ? ' with an empty body' : `: ${start}`}`,
  unexpectedStatus: (status: number, expected: { from: number; to: number }[], start: string) =>
    `${reasons.badStatus(status, start)}; expected ${expected.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(', ')}`,
  unmetCondition: (status: number, condition: string, start: string) =>
    `${reasons.badStatus(status, start)}; that does not meet the condition \`${condition}\``,
  redirect: (status: number, location: string) =>
    `the target answered ${status} with a redirect to ${location}, which is not followed; put the final URL into the definition`,
  notJson: (start: string) =>
    start === ''
      ? 'the response is empty, and the outcome rules need JSON'
      : `the response is not JSON, which the outcome rules need; it starts with: ${start}`,
  ruleFailed: (rule: string, message: string) => `the rule ${rule} could not be applied: ${message}`,
  missingVariables: (names: string[]) =>
    `the worker has no ${names.join(', ')}; set ${names.length === 1 ? 'it' : 'them'} in the environment of every worker`,
  nothingDone: '; nothing was done',
  attempts: (count: number) => (count > 1 ? ` (${count} attempts)` : ''),
  noTimeToRetry: (waitMs: number, maxSeconds: number) =>
    `; another attempt would have to wait ${seconds(waitMs)}, which the budget of ${seconds(maxSeconds * 1_000)} has not left`,
  misfire: (latenessMs: number, graceMs: number) =>
    `it would have started ${seconds(latenessMs)} after its tick; the grace is ${seconds(graceMs)}`,
  workerLost:
    'the worker that ran it died or froze: its heartbeats stopped, and whether the target finished is unknown',
  activityFailed: (message: string) => `the worker could not run it: ${message}`,
  cancelledBeforeStart: 'someone cancelled the run while no worker was at work on it',
  startLost:
    'the worker that ran it died or froze before it knew whether the target had begun: it was not asked again, for its `retry` is not idempotent',
  tooShort: (tookMs: number, leastMs: number) =>
    `it took ${seconds(tookMs)}, less than the min_duration of ${seconds(leastMs)}`,
  activityTimedOut: 'the worker did not end the run by its hard timeout, and the server gave up on it',
} as const;

/** Why an interrupted run ended, and on which outcome. */
export function explainInterruption(interruption: Interruption, hardTimeoutMs: number) {
  switch (interruption) {
    case 'hard_timeout':
      return {
        outcome: 'timed_out',
        reason: `the target had not answered by the hard timeout of ${seconds(hardTimeoutMs)}; the request was aborted`,
      } as const;
    case 'cancelled':
      return { outcome: 'cancelled', reason: 'someone cancelled the run; the request was aborted' } as const;
    case 'worker_shutdown':
      return { outcome: 'cancelled', reason: 'the worker was shut down before the target had answered' } as const;
    case 'abandoned':
      return {
        outcome: 'cancelled',
        reason: 'the server no longer waits for this run (terminated, or given up as lost); the request was aborted',
      } as const;
  }
}
