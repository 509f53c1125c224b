import { openHostGuard } from '../../../activities/host-guard.ts';
import { openHttpClient } from '../../../activities/http-client.ts';
import type { ClientOptions, HttpRequest, HttpResponse } from '../../../activities/http-client.ts';

export const never = new AbortController().signal;

export interface TestClientOptions extends Omit<Partial<ClientOptions>, 'guard'> {
  environment?: Record<string, string>;
}

/** A client as a run opens it, with an environment of its own. */
export function openClient({ environment = {}, ...options }: TestClientOptions = {}) {
  return openHttpClient({ ...options, environment, guard: openHostGuard(environment) });
}

/** One exchange with a client of its own, which is closed when it returns. */
export async function exchangeOnce(
  request: Partial<HttpRequest> & { url: string },
  { signal = never, ...options }: TestClientOptions & { signal?: AbortSignal } = {},
): Promise<HttpResponse> {
  const client = await openClient(options);
  try {
    return await client.exchange({ method: 'GET', headers: {}, ...request }, signal);
  } finally {
    await client.close();
  }
}

/** What an exchange throws. */
export async function faultOf(url: string, options: TestClientOptions = {}): Promise<Error> {
  return exchangeOnce({ url }, options).then(
    ({ status, text }) => new Error(`it answered ${status}: ${text.slice(0, 100)}`),
    (error: unknown) => error as Error,
  );
}
