import type { Firing, RequestTemplate, WatchdogOrder } from '../../workflows/contract.ts';
import type { Account } from '../account.ts';
import { readAnswer } from '../answer.ts';
import type { Caller } from '../caller.ts';
import { explainFault } from '../faults.ts';
import type { HttpClient, HttpRequest } from '../http-client.ts';
import { ForbiddenHostError } from '../http-client.ts';
import { type Answer, findExpectationFault } from '../judgement.ts';
import { reasons, seconds } from '../reasons.ts';
import { type Sent, sendWithRetry } from '../retry.ts';
import { RuleError } from '../rule.ts';
import type { Variables } from '../variables.ts';
import type { Treatment } from './finding.ts';
import { httpRemedyReasons } from './http-remedy-reasons.ts';

/** What a remedy over HTTP needs: the treatment, and what a request is filled in with. */
export interface RequestRemedy {
  treatment: Treatment;
  order: WatchdogOrder;
  firing: Firing;
  variables: Variables;
  /** Where proxies are named, and the hosts that may be called. */
  environment: Record<string, string | undefined>;
}

/** A remedy whose client is open. */
export interface OpenedRemedy extends RequestRemedy {
  template: RequestTemplate;
  client: HttpClient;
}

/** How a request ended. */
export interface RequestEnd {
  /** JSON text; null where no answer came. */
  after: string | null;
  status?: number;
  /** Why it is not what was wanted. */
  fault?: string;
  /** It cannot have reached the target. */
  isHarmless: boolean;
}

/** One request may take half of what the budget has left, so that one that hangs leaves time for the others. */
const share = 0.5;

/**
 * Sends a request, again where the definition's `retry` says so, and says how it ended. `account` says whether it went out.
 *
 * @throws the signal's reason, and what nobody foresaw
 */
export async function sendInTime(
  { treatment, order, variables, template, client, account }: OpenedRemedy & { account: Account },
  request: HttpRequest,
): Promise<RequestEnd> {
  const limitMs = treatment.statementTimeoutMs() * share;
  const limit = AbortSignal.timeout(Math.max(1, Math.floor(limitMs)));
  const caller: Caller = {
    ...{ client, plan: { request: template, outcome: {} }, retry: order.retry, maxSeconds: limitMs / 1_000 },
    startsUntilMs: treatment.now().getTime() + limitMs,
    signal: AbortSignal.any([treatment.signal, limit]),
    ...{ account, redact: variables.redact, now: treatment.now, onStage() {}, confirm: () => undefined },
  };
  try {
    return readEnd(await sendWithRetry(caller, request), template, variables);
  } catch (error) {
    if (treatment.signal.aborted || !limit.aborted) throw error;
    return { after: null, fault: httpRemedyReasons.noAnswer(seconds(limitMs)), isHarmless: false };
  }
}

function readEnd(sent: Sent, template: RequestTemplate, { redact }: Variables): RequestEnd {
  if ('fault' in sent) {
    const reason = explainFault(sent.fault);
    if (reason === undefined) throw sent.fault;
    const isHarmless = sent.isHarmless || sent.fault instanceof ForbiddenHostError;
    return { after: null, fault: reason + sent.note + (isHarmless ? reasons.nothingDone : ''), isHarmless };
  }
  const { answer, stored } = readAnswer(sent.response, redact);
  const { status } = stored;
  const body = stored.json.length <= longestAnswer ? stored.json : JSON.stringify(answer.start);
  const after = `{"status":${status},"attempts":${sent.attempt},"answer":${body}}`;
  const fault = findFault(answer, template);
  return { after, status, isHarmless: false, ...(fault === undefined ? {} : { fault: fault + sent.note }) };
}

function findFault(answer: Answer, { expect }: RequestTemplate): string | undefined {
  try {
    return findExpectationFault(answer, expect);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return error.message;
  }
}

/** Of a longer answer only its start is kept, in characters. */
const longestAnswer = 2_000;
