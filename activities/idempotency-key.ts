import { hash } from 'node:crypto';

/** What may stand in a header as it is, and is short enough for any target's table of keys. */
const plainName = /^[\w.:@/+-]{1,64}$/;

/** The Idempotency-Key of one target: the id of its run and its name, or for a name that no header holds a UUID of both. */
export function nameEffect(target: string, runId: string): string {
  return plainName.test(target) ? `${runId}/${target}` : deriveUuid(target, runId);
}

/** The UUID, version 5 (RFC 9562), of a name within another UUID. */
function deriveUuid(target: string, runId: string): string {
  const name = Buffer.allocUnsafe(16 + Buffer.byteLength(target));
  name.write(runId.replaceAll('-', ''), 'hex');
  name.write(target, 16);
  const digits = hash('sha1', name);
  const variant = ((Number.parseInt(digits[16] ?? '', 16) & 3) | 8).toString(16);
  const start = `${digits.slice(0, 8)}-${digits.slice(8, 12)}-5${digits.slice(13, 16)}`;
  return `${start}-${variant}${digits.slice(17, 20)}-${digits.slice(20, 32)}`;
}
