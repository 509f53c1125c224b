import type { SweepPlan } from '../workflows/contract.ts';
import type { Exchange } from './exchange-watch.ts';
import type { Answer } from './rule.ts';
import { explainAcceptance, explainDone, explainList } from './step-verdicts.ts';
import { type Verdict, explainExpectation, explainOutcome } from './verdict.ts';

/** What the rules said of one answer. */
export interface Judged extends Pick<Exchange, 'part' | 'count'> {
  verdicts: Verdict[];
}

/**
 * Says of the answers that counted how each rule judged them: of the list of targets, of the last attempt of the request,
 * and of the last poll. What was tried again, or told nothing of the operation, was judged by no rule.
 */
export function explainExchanges(plan: SweepPlan, exchanges: Exchange[]): Judged[] {
  const { each } = plan;
  return [
    ...judgeLast(exchanges, 'targets', (answer) => (each === undefined ? [] : explainList(each, answer))),
    ...judgeLast(exchanges, 'request', (answer) => judgeFirst(plan, answer)),
    ...judgeLast(exchanges, 'poll', (answer) => judgePoll(plan, answer)),
  ];
}

/** Whether a polled answer was asked for `poll.done`; any other says by its status how it goes. */
export function asksDone({ status }: Answer): boolean {
  return status >= 200 && status < 300;
}

function judgeLast(exchanges: Exchange[], part: Exchange['part'], judge: (answer: Answer) => Verdict[]): Judged[] {
  const last = exchanges.findLast((exchange) => exchange.part === part);
  if (last === undefined || !('answer' in last.end)) return [];
  const verdicts = judge(last.end.answer);
  return verdicts.length === 0 ? [] : [{ part, count: last.count, verdicts }];
}

function judgeFirst({ poll, outcome, request }: SweepPlan, answer: Answer): Verdict[] {
  const path = ['sweep', 'request'];
  const expected = request.expect ?? {};
  if (poll === undefined) return explainOutcome(outcome, answer, expected, path);
  const { when, url } = explainAcceptance(poll, answer);
  if (when.decides) return [when];
  if (when.gave !== true) return [when, ...explainOutcome(outcome, answer, expected, path)];
  const accepted = explainExpectation(answer, expected, path);
  const isExpected = accepted.every(({ decides }) => !decides);
  return [when, ...accepted, ...(isExpected && url !== undefined ? [url] : [])];
}

function judgePoll({ poll, outcome }: SweepPlan, answer: Answer): Verdict[] {
  const { status } = answer;
  const tellsNothing = status === 404 || status === 410 || status === 429 || status >= 500;
  if (poll === undefined || tellsNothing) return [];
  const judged = () => explainOutcome(outcome, answer, {}, ['sweep', 'poll']);
  if (!asksDone(answer)) return judged();
  const done = explainDone(poll, answer);
  return done.gave === true ? [done, ...judged()] : [done];
}
