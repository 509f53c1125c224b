/**
 * How long an answer asks to be left alone, in milliseconds from `now`: its Retry-After header in seconds or as a date
 * (RFC 9110, section 10.2.3). Undefined where it asks for nothing that can be read.
 */
export function readRetryAfter(headers: Record<string, string>, now: Date): number | undefined {
  const value = headers['retry-after']?.trim() ?? '';
  if (/^\d{1,12}$/.test(value)) return Number(value) * 1_000;
  const at = /[A-Za-z]/.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
