import { hash } from 'node:crypto';

/** The Idempotency-Key of one target: the UUID, version 5 (RFC 9562), of its name within the UUID of its run. */
export function nameEffect(target: string, runId: string): string {
  const digits = hash('sha1', Buffer.from(runId.replaceAll('-', '') + Buffer.from(target).toString('hex'), 'hex'));
  const variant = ((Number.parseInt(digits[16] ?? '', 16) & 3) | 8).toString(16);
  const groups = [digits.slice(0, 8), digits.slice(8, 12), `5${digits.slice(13, 16)}`, variant + digits.slice(17, 20)];
  return `${groups.join('-')}-${digits.slice(20, 32)}`;
}
