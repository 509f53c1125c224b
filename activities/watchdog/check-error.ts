/** What an operator can set right in a check, its database or its budget; the message is a sentence for the check's report. */
export class CheckError extends Error {
  override readonly name = 'CheckError';
}

/** What an operator can set right before any check is run; the message is a sentence for the run's row. */
export class WatchError extends Error {
  override readonly name = 'WatchError';
}
