import { readAnswer } from './answer.ts';
import type { JudgedAnswer } from './answer-memory.ts';
import type { Caller } from './caller.ts';
import { InterruptedError } from './deadline.ts';
import type { Ending } from './ending.ts';
import { explainFault } from './faults.ts';
import type { HttpResponse } from './http-client.ts';
import { findExpectationFault, judgeAnswer } from './judgement.ts';
import { type Operation, isAccepted, locateOperation } from './operation.ts';
import { type Following, followOperation } from './poll.ts';
import { pollReasons } from './poll-reasons.ts';
import { reasons } from './reasons.ts';
import { type RequestScope, buildPollRequest, buildRequest } from './request.ts';
import { readRetryAfter } from './retry-after.ts';
import { type Sent, sendWithRetry } from './retry.ts';

/** How the call of a target ended, and which attempt brought it about. Not redacted yet. */
export interface TargetEnding extends Ending {
  attempt: number;
}

/** A call of one target. */
export interface TargetCall {
  caller: Caller;
  scope: RequestScope;
  hardTimeoutMs: number;
  /** What another worker left to follow; then nothing is started. */
  operation?: Operation | undefined;
  /** Tells that the target has accepted the work. */
  onAccepted(operation: Operation): void;
}

/**
 * Calls one target and says how that ended: the request, its further attempts, and the operation that it only accepted.
 *
 * @throws the signal's reason, and what nobody foresaw
 */
export async function callTarget(call: TargetCall): Promise<TargetEnding> {
  const { caller, scope } = call;
  const { plan } = caller;
  let attempt = 1;
  try {
    if (call.operation !== undefined) return await follow(call, call.operation);
    const request = buildRequest(plan.request, scope);
    const sent = await sendWithRetry(caller, request);
    attempt = sent.attempt;
    if ('fault' in sent) return { ...explainSent(sent), attempt };
    const known = caller.memory?.recall(sent.response);
    if (known !== undefined) return conclude(known, sent);
    const { answer, stored } = readAnswer(sent.response, caller.redact);
    if (!isAccepted(caller, answer)) {
      const judged = { ending: judgeAnswer(plan.outcome, answer, plan.request.expect), stored };
      caller.memory?.keep(sent.response, judged);
      return conclude(judged, sent);
    }
    const fault = findExpectationFault(answer, plan.request.expect);
    if (fault !== undefined) return { outcome: 'automation_error', reason: fault, response: stored, attempt };
    const operation = accept(call, request.url, sent.response, attempt);
    return await follow(call, operation, readRetryAfter(sent.response.headers, caller.now()));
  } catch (error) {
    const reason = caller.signal.aborted ? undefined : explainFault(error);
    if (reason === undefined) throw error;
    return { outcome: 'automation_error', reason, attempt };
  }
}

function accept(call: TargetCall, requestUrl: string, response: HttpResponse, attempt: number): Operation {
  const url = locateOperation(call.caller, requestUrl, response);
  const operation = { url, startedAt: call.caller.now().toISOString(), attempt };
  call.onAccepted(operation);
  return operation;
}

async function follow(call: TargetCall, operation: Operation, retryAfterMs = 0): Promise<TargetEnding> {
  const { caller, scope, hardTimeoutMs } = call;
  const { attempt, url } = operation;
  const { poll, outcome, request } = caller.plan;
  if (poll === undefined) throw new Error('an operation is followed by an order that has no poll');
  const following: Following = {};
  try {
    const firstPauseMs = call.operation === undefined ? Math.max(poll.everyMs, retryAfterMs) : 0;
    const asked = buildPollRequest(request, scope, url);
    const followed = await followOperation(caller, poll, operation, asked, { following, firstPauseMs });
    addPolling(call, operation);
    if ('fault' in followed) return { outcome: 'automation_error', reason: followed.fault, attempt };
    const { answer, stored } = followed.last;
    return { ...judgeAnswer(outcome, answer), response: stored, attempt };
  } catch (error) {
    if (!(error instanceof InterruptedError) || error.interruption !== 'hard_timeout') throw error;
    addPolling(call, operation);
    const reason = pollReasons.hardTimeout(url, hardTimeoutMs, following.lastFault);
    return { outcome: 'timed_out', reason, attempt };
  }
}

/** From the moment it was accepted, whoever followed it; what another worker goes on with is not over yet. */
function addPolling({ caller }: TargetCall, { startedAt }: Operation): void {
  caller.account.stages.pollMs += Math.max(0, caller.now().getTime() - Date.parse(startedAt));
}

/** A fault of the transport is the automation's; what is not a fault but a defect is thrown. */
function explainSent(sent: Extract<Sent, { fault: Error }>): Ending {
  const reason = explainFault(sent.fault);
  if (reason === undefined) throw sent.fault;
  return { outcome: 'automation_error', reason: reason + sent.note + (sent.isHarmless ? reasons.nothingDone : '') };
}

function conclude({ ending, stored }: JudgedAnswer, { note, attempt }: Sent): TargetEnding {
  const reason = ending.outcome === 'automation_error' ? ending.reason + note : ending.reason;
  return Object.assign({}, ending, { reason, response: stored, attempt });
}
