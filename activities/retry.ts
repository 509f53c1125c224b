import type { FailedAttempt } from '../workflows/contract.ts';
import { addTiming, noteFailure } from './account.ts';
import { readAnswer } from './answer.ts';
import type { Caller } from './caller.ts';
import { ConnectionLostError, type HttpRequest, type HttpResponse, TargetUnreachableError } from './http-client.ts';
import { isLocked } from './judgement.ts';
import { pause } from './pause.ts';
import { reasons } from './reasons.ts';
import { cutText } from './report-size.ts';
import { readRetryAfter } from './retry-after.ts';

/** How a request ended: by an answer, or by a fault of the transport. `note` belongs behind the sentence about it. */
export type Sent = {
  attempt: number;
  note: string;
  /** No attempt can have reached the target. */
  isHarmless: boolean;
} & ({ response: HttpResponse } | { fault: Error });

const defaultBackoffMs = 1_000;
const longestOperation = 200;

/** Answers by which a server says that it did not get to the work, or only for now; see RFC 9110 and RFC 6585. */
const passingStatuses = new Set([429, 502, 503, 504]);

/**
 * Sends a request; again, after a growing pause, where it cannot have reached the target, and where the definition says
 * that it may be sent twice also after an answer or a loss that will pass. No attempt begins beyond the budget.
 *
 * @throws the signal's reason, and what nobody foresaw
 */
export async function sendWithRetry(caller: Caller, request: HttpRequest): Promise<Sent> {
  const { retry, account, onStage } = caller;
  const failures: FailedAttempt[] = [];
  let isHarmless = true;
  for (let attempt = 1; ; attempt += 1) {
    onStage('waiting for the target', attempt);
    const asked = caller.confirm();
    if (asked !== undefined) await asked;
    account.hasSent = true;
    const at = caller.now();
    let tried: Tried;
    try {
      tried = readResponse(caller, await caller.client.exchange(request, caller.signal));
    } catch (error) {
      tried = readFault(caller, error);
    }
    if ('response' in tried && tried.passing === undefined) {
      for (const failure of failures) failure.rescued = true;
      return { response: tried.response, attempt, isHarmless: false, note: reasons.attempts(attempt) };
    }
    isHarmless &&= 'fault' in tried && tried.fault instanceof TargetUnreachableError;
    const sent = { ...tried, attempt, isHarmless, note: reasons.attempts(attempt) };
    if (tried.passing === undefined) return sent;
    const operation = nameOperation(caller, request);
    const failure = { ...named(caller), attempt, at: at.toISOString(), operation, error: tried.passing };
    failures.push(noteFailure(account, failure));
    account.stages.retryMs += caller.now().getTime() - at.getTime();
    const waitMs = Math.max((retry.backoffMs ?? defaultBackoffMs) * 2 ** (attempt - 1), tried.retryAfterMs ?? 0);
    if (attempt >= retry.attempts) return sent;
    if (caller.now().getTime() + waitMs > caller.startsUntilMs) {
      return { ...sent, note: sent.note + reasons.noTimeToRetry(waitMs, caller.maxSeconds) };
    }
    onStage('waiting to try again', attempt);
    await pause(waitMs, caller.signal);
    account.stages.retryMs += waitMs;
  }
}

type Tried = ({ response: HttpResponse } | { fault: Error }) & {
  /** What failed, where another attempt may be made. */
  passing?: string;
  retryAfterMs?: number | undefined;
};

function readResponse(caller: Caller, response: HttpResponse): Tried {
  const { retry, redact } = caller;
  const mayPass = retry.idempotent === true && passingStatuses.has(response.status);
  if (mayPass) {
    const { answer } = readAnswer(response, redact);
    if (!isLocked(caller.plan.outcome, answer)) {
      const retryAfterMs = readRetryAfter(response.headers, caller.now());
      return { response, passing: reasons.badStatus(answer.status, answer.start), retryAfterMs };
    }
  }
  addTiming(caller.account, response.timing);
  return { response };
}

/** Throws the signal's reason, and what is no error. */
function readFault({ retry, redact, signal }: Caller, error: unknown): Tried {
  if (signal.aborted || !(error instanceof Error)) throw error;
  if (error instanceof TargetUnreachableError || (retry.idempotent && error instanceof ConnectionLostError)) {
    return { fault: error, passing: redact(error.message) };
  }
  return { fault: error };
}

/** What is called, without what may change from run to run. */
function nameOperation({ redact, isListing }: Caller, { method, url }: HttpRequest): string {
  const call = cutText(redact(`${method} ${new URL(url).pathname}`), longestOperation);
  return isListing === true ? `list ${call}` : call;
}

function named({ target }: Caller): { target?: string } {
  return target === undefined ? {} : { target };
}
