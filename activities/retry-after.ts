/**
 * How long an answer asks to be left alone, in milliseconds from `now`: its Retry-After header in seconds or as a date
 * (RFC 9110, section 10.2.3). A date is by the clock of whoever sent it, which its Date header shows, and which may be
 * wrong. Undefined where it asks for nothing that can be read.
 */
export function readRetryAfter(headers: Record<string, string>, now: Date): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,12}$/.test(value)) return Number(value) * 1_000;
  const at = /[A-Za-z]/.test(value) ? Date.parse(value) : Number.NaN;
  const sentAt = Date.parse(headers['date'] ?? '');
  return Number.isNaN(at) ? undefined : Math.max(0, at - (Number.isNaN(sentAt) ? now.getTime() : sentAt));
}
