import { seconds } from '../reasons.ts';

/** Every sentence that says what became of a watchdog's run, of a check, or of a finding. */
export const watchReasons = {
  notWatchdog: 'a sweep was sent to be watched; the workflow and this worker are of different versions',
  noAddress: (names: string[]) =>
    `the worker has none of ${names.join(', ')}, which may hold the address of the database; set one in the environment of every worker`,
  badAddress: (variable: string) =>
    `${variable} does not hold the address of a Postgres database such as postgres://user:password@host:5432/name`,
  unreadableAddress: (variable: string, fault: string) => `the address in ${variable} cannot be used: ${fault}`,
  pooled: (variable: string, place: string) =>
    `the address in ${variable} (${place}) leads to a connection pooler, through which a lock cannot be held; give the direct address of the database`,
  locked: (holder: string) => `another run of this watchdog holds its lock: ${holder}`,
  unnamedHolder: 'its session could not be found',
  budgetSpent: (maxSeconds: number) => `the budget of ${seconds(maxSeconds * 1_000)} was spent before its turn came`,
  statementTimeout: (timeoutMs: number) => `it took longer than the ${seconds(timeoutMs)} that the budget had left`,
  writes: (message: string) => `the detect query writes, and was refused by its read-only transaction: ${message}`,
  noKeyColumn: (key: string[], message: string) =>
    `the detect query does not give the key (${key.join(', ')}) as it should: ${message}`,
  nullKey: (column: string, count: number) =>
    `the key column \`${column}\` is NULL in ${count} of its findings; a key names each finding`,
  doubledKey: (key: string, columns: string[]) =>
    `the key ${key} comes more than once; ${columns.join(', ')} must tell one finding from another`,
  tooLarge: 'its first finding alone is more than one run takes up (32 MiB of JSON)',
  connectionLost: (message: string) => `the connection to the database was lost: ${message}`,
  unforeseen: (message: string) => `it failed in a way that nobody foresaw: ${message}`,
  noPlace: 'not acted: the history is away, and there is no place for the audit',
  noRoom: 'not acted: the history is away, and the report of this run has no room for more of the audit',
  historyAway: 'the history is away: which findings are quarantined or were just acted on is not known',
  findingsUnknown: 'what was found could not be kept: the history is away',
  interrupted: 'the run was interrupted while it was at work on this check',
  notReached: 'the run was interrupted before its turn came',
  tooManyActions: (count: string, most: number) =>
    `${count} findings to act on are more than max_actions (${most}); nothing was done`,
  beyondLimit: (limit: number, taken: number) =>
    taken < limit
      ? `there are more findings than the ${taken} that fit into one run`
      : `there are more findings than the limit of ${limit}`,
  noRemedy: 'found; the check has no remedy',
  proposed: (action: string, why: string) => `would ${action}; nothing was done: ${why}`,
  simulated: (action: string) => `${action}: simulated, and rolled back`,
  notCured: (action: string) => `${action} did not cure it, and was rolled back`,
  failed: (action: string) => `${action} failed, and was rolled back`,
  notAnswered: (action: string) => `${action} failed`,
  rowsLocked: 'another transaction holds its rows; the next run comes back to it',
  quarantined: (failedRuns: number) =>
    `quarantined: its remedy failed in ${failedRuns} runs in a row; \`actcore findings retry\` releases it`,
  hardTimeout: (hardTimeoutMs: number) => `the hard timeout of ${seconds(hardTimeoutMs)} interrupted it`,
  cancelled: 'someone cancelled the run',
  shutDown: 'the worker was shut down before the run had ended',
  abandoned: 'the server no longer waits for this run: it was terminated, or given up as lost',
} as const;

/** Why a check whose definition says `auto` or `sim` only looks. */
export const lookingReasons = {
  mode: 'the check is in dry_run',
  destructive: 'the remedy is destructive and destructive_ok is false',
  firing: 'this run only looks',
} as const;

/** "1 check", "2 checks". */
export function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
