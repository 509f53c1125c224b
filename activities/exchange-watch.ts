import { readAnswer } from './answer.ts';
import { InterruptedError } from './deadline.ts';
import type { ExchangeTiming, HttpClient, HttpRequest } from './http-client.ts';
import type { Redact } from './redaction.ts';
import { explainInterruption } from './reasons.ts';
import type { Answer } from './rule.ts';

/** What a request was for: the list of targets, the work itself, or how that goes. */
export type ExchangePart = 'targets' | 'request' | 'poll';

/** One request that was sent, and what came of it; every secret is taken out. */
export interface Exchange {
  part: ExchangePart;
  /** Counts within its part, from 1. */
  count: number;
  request: HttpRequest;
  tookMs: number;
  end: Answered | { fault: string };
}

/** An answer as the rules see it, its text as it came, and where its time went. */
export interface Answered {
  answer: Answer;
  text: string;
  timing: ExchangeTiming;
}

export interface WatchOptions {
  /** What the next request is for, unless it polls. */
  part: () => Exclude<ExchangePart, 'poll'>;
  redact: Redact;
  hardTimeoutMs: number;
  onExchange: (exchange: Exchange) => void;
}

/** Looks on at every exchange of a client, for whoever wants to see what a run does; it changes nothing. */
export function watchClient(client: HttpClient, options: WatchOptions): HttpClient {
  const counts: Record<ExchangePart, number> = { targets: 0, request: 0, poll: 0 };
  return {
    async exchange(request, signal) {
      // Whatever is to have an effect names it; what only asks does not.
      const part = request.headers['idempotency-key'] === undefined ? 'poll' : options.part();
      const count = (counts[part] += 1);
      const startedAt = performance.now();
      const tell = (end: Exchange['end']) =>
        options.onExchange({
          ...{ part, count, request: redactRequest(request, options.redact), end },
          tookMs: performance.now() - startedAt,
        });
      try {
        const response = await client.exchange(request, signal);
        const { answer, stored } = readAnswer(response, options.redact);
        const text = answer.body === undefined ? (JSON.parse(stored.json) as string) : stored.json;
        tell({ answer, text, timing: response.timing });
        return response;
      } catch (error) {
        tell({ fault: options.redact(explain(error, options.hardTimeoutMs)) });
        throw error;
      }
    },
    close: () => client.close(),
  };
}

function redactRequest({ method, url, headers, body }: HttpRequest, redact: Redact): HttpRequest {
  const clean = Object.entries(headers).map(([name, value]) => [name, redact(value)]);
  return {
    ...{ method, url: redact(url), headers: Object.fromEntries(clean) as Record<string, string> },
    ...(body === undefined ? {} : { body: redact(body) }),
  };
}

function explain(error: unknown, hardTimeoutMs: number): string {
  if (error instanceof InterruptedError) return explainInterruption(error.interruption, hardTimeoutMs).reason;
  return error instanceof Error ? error.message : String(error);
}
