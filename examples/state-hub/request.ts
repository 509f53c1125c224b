import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { SweepRequest } from './report.ts';

/** A request that is refused: the HTTP status, a sentence, and headers where the status calls for some. */
export class Refusal extends Error {
  override name = 'Refusal';
  readonly status: number;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

const largestBodyBytes = 64 * 1024;

const label = z
  .string()
  .min(1)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters');

const sweepRequest = z.strictObject({
  max_seconds: z.number().positive().max(86_400),
  source: label,
  run_id: label,
});

/** Reads and checks the body of a sweep request; all that is wrong with it stands in one refusal. */
export async function readSweepRequest(request: IncomingMessage): Promise<SweepRequest> {
  const text = await readBody(request);
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new Refusal(400, `the body is not JSON: ${(error as Error).message}`);
  }
  const checked = sweepRequest.safeParse(body);
  if (checked.success) return checked.data;
  const faults = checked.error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`);
  throw new Refusal(400, faults.join('; '));
}

/** The `limit` of a list: 1 to 1000, 50 when not given. */
export function readLimit(query: URLSearchParams): number {
  const text = query.get('limit') ?? '50';
  const limit = Number(text);
  if (/^\d{1,4}$/.test(text) && limit >= 1 && limit <= 1000) return limit;
  throw new Refusal(400, 'limit: must be a whole number from 1 to 1000');
}

/** Refuses a request without the bearer token, compared in constant time. */
export function checkToken(request: IncomingMessage, token: string): void {
  const given = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  if (timingSafeEqual(digest(given), digest(token))) return;
  const said = request.headers.authorization === undefined ? 'a bearer token is needed' : 'the bearer token is wrong';
  throw new Refusal(401, said, { 'www-authenticate': 'Bearer' });
}

/** A body that is too large is read and dropped up to a point, so that the client is there to read the refusal. */
async function readBody(request: IncomingMessage): Promise<string> {
  const tooLarge = new Refusal(413, `the body is larger than ${largestBodyBytes} bytes`, { connection: 'close' });
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > 256 * largestBodyBytes) throw tooLarge;
    if (bytes <= largestBodyBytes) chunks.push(chunk);
  }
  if (bytes > largestBodyBytes) throw tooLarge;
  return Buffer.concat(chunks).toString('utf8');
}
