import { Agent, request } from 'undici';
import { ExchangeError, connectTimeoutMs, nameFault } from './exchange-fault.ts';

/** A request with every value in it. The body is text ready to send. */
export interface HttpRequest {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: string;
}

/** An answer read whole: headers in lower case, several values joined by ", ". */
export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  text: string;
}

/** What an exchange throws besides the signal's reason. */
export { ExchangeError, TargetUnreachableError } from './exchange-fault.ts';

/** The most of a response that is read, in bytes. */
export const responseLimitBytes = 1_048_576;

/**
 * One HTTP exchange on a connection of its own, which is closed when this returns, however it ends. Redirects are not
 * followed. The only time limits are `signal` and a connect timeout: a target may take as long as its budget to answer.
 *
 * @throws TargetUnreachableError, ExchangeError, or the signal's reason
 */
export async function exchange(target: HttpRequest, signal: AbortSignal): Promise<HttpResponse> {
  signal.throwIfAborted();
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: connectTimeoutMs } });
  try {
    const { method, headers, body } = target;
    const answer = await request(target.url, {
      method,
      headers,
      body: body ?? null,
      dispatcher: agent,
      signal,
    });
    const text = await readLimited(answer.body);
    return { status: answer.statusCode, headers: flattenHeaders(answer.headers), text };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw nameFault(error, new URL(target.url).origin);
  } finally {
    await agent.destroy();
  }
}

async function readLimited(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > responseLimitBytes) {
      throw new ExchangeError(`the response is larger than ${responseLimitBytes} bytes, the most that is read`);
    }
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

function flattenHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : (value ?? '')]),
  );
}
