import type { PollPlan } from '../workflows/contract.ts';
import type { FailedAttempt } from '../workflows/contract.ts';
import { noteFailure } from './account.ts';
import { type ReadAnswer, readAnswer } from './answer.ts';
import type { Caller } from './caller.ts';
import { explainFault } from './faults.ts';
import { ForbiddenHostError, type HttpRequest, type HttpResponse } from './http-client.ts';
import type { Operation } from './operation.ts';
import { pause } from './pause.ts';
import { pollReasons } from './poll-reasons.ts';
import { reasons } from './reasons.ts';
import { readRetryAfter } from './retry-after.ts';
import { RuleError, holdsRule } from './rule.ts';

/** How an operation ended: with an answer to judge, or in a way that the sentence says. */
export type Followed = { last: ReadAnswer } | { fault: string };

const growth = 1.5;

/** What is known of an operation while it is followed, for whoever ends it from outside. */
export interface Following {
  lastFault?: string;
}

/**
 * Asks for an operation until it is done. A poll that fails says nothing of the operation, which goes on: it is asked
 * again, as long as `signal` allows.
 *
 * @throws the signal's reason
 */
export async function followOperation(
  caller: Caller,
  poll: PollPlan,
  operation: Operation,
  request: HttpRequest,
  { following, firstPauseMs = poll.everyMs }: { following: Following; firstPauseMs?: number },
): Promise<Followed> {
  const failures: FailedAttempt[] = [];
  let [everyMs, waitMs] = [poll.everyMs, firstPauseMs];
  for (let count = 1; ; count += 1) {
    caller.onStage(`following ${caller.redact(operation.url)}`, operation.attempt);
    await pause(waitMs, caller.signal);
    const asked = await askOnce(caller, request);
    if ('ended' in asked) return asked.ended;
    if ('passing' in asked) {
      following.lastFault = asked.passing;
      const at = caller.now().toISOString();
      const { target } = caller;
      failures.push(
        noteFailure(caller.account, {
          ...(target === undefined ? {} : { target }),
          attempt: count,
          at,
          operation: 'poll',
          error: asked.passing,
        }),
      );
    } else {
      delete following.lastFault;
      for (const failure of failures.splice(0)) failure.rescued = true;
      const step = readStep(caller, poll, operation, asked.response);
      if (step !== undefined) return step;
    }
    everyMs = Math.min(everyMs * growth, poll.maxEveryMs);
    waitMs = Math.max(everyMs, asked.retryAfterMs ?? 0);
  }
}

type Asked = { retryAfterMs?: number | undefined } & (
  { response: HttpResponse } | { passing: string } | { ended: { fault: string } }
);

async function askOnce(caller: Caller, request: HttpRequest): Promise<Asked> {
  try {
    const response = await caller.client.exchange(request, caller.signal);
    const retryAfterMs = readRetryAfter(response.headers, caller.now());
    if (response.status !== 429 && response.status < 500) return { response, retryAfterMs };
    const { answer } = readAnswer(response, caller.redact);
    return { passing: reasons.badStatus(answer.status, answer.start), retryAfterMs };
  } catch (error) {
    if (caller.signal.aborted) throw error;
    const fault = explainFault(error);
    if (fault === undefined) throw error;
    return error instanceof ForbiddenHostError ? { ended: { fault } } : { passing: caller.redact(fault) };
  }
}

/** What an answer to a poll means: undefined where the operation goes on. */
function readStep(caller: Caller, poll: PollPlan, operation: Operation, response: HttpResponse): Followed | undefined {
  const { status } = response;
  if (status === 404 || status === 410) return { fault: pollReasons.forgotten(operation.url, status) };
  const last = readAnswer(response, caller.redact);
  if (status < 200 || status >= 300) return { last };
  try {
    return holdsRule('poll.done', poll.done, last.answer) ? { last } : undefined;
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { fault: error.message };
  }
}
