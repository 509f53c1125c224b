/** What a listener says of its troubles. */
export const listenerReasons = {
  trouble: (definitionId: string, channel: string, message: string) =>
    `${definitionId}: the listener on channel ${channel} ${message}`,
  disconnected: (message: string) => `is not connected, and tries again until it is: ${message}`,
  notFired: (message: string) => `could not fire it yet, and tries again: ${message}`,
  notChecked: (message: string) => `could not ask whether the schedule is still there: ${message}`,
} as const;

/** The message of whatever was thrown. */
export function sayError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // Where several addresses were tried, only the code says anything.
  const code = 'code' in error ? String(error.code) : error.name;
  return error.message === '' ? code : error.message;
}
