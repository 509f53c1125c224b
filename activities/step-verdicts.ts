import type { EachPlan, PollPlan } from '../workflows/contract.ts';
import type { Answer } from './rule.ts';
import { type Verdict, ask, explainExpectation, explainMisfit } from './verdict.ts';

/** Whether an answer says that the work was only accepted, and where its operation is. */
export function explainAcceptance(poll: PollPlan, answer: Answer): { when: Verdict; url?: Verdict } {
  const { when: expression } = poll;
  const path = ['sweep', 'poll', 'when'];
  const asked = expression ?? 'status == 202';
  const held = ask(asked, answer);
  const isAccepted = held.gave === true;
  const means = isAccepted ? 'only accepted: its operation is polled' : 'an answer of its own: nothing is polled';
  const when = expectBool({ path, asked, ...held }, means, false);
  if (!isAccepted || poll.url === undefined) return { when };
  const found = ask(poll.url, answer);
  const isText = typeof found.gave === 'string';
  const told = isText ? 'polled there' : 'no URL, so the run is `automation_error`';
  return { when, url: { path: ['sweep', 'poll', 'url'], asked: poll.url, ...found, means: told, decides: !isText } };
}

/** Whether a polled answer says that the operation has ended. */
export function explainDone(poll: PollPlan, answer: Answer): Verdict {
  const asked = ask(poll.done, answer);
  const means = asked.gave === true ? 'ended: this answer is judged' : 'still going: polled again';
  return expectBool({ path: ['sweep', 'poll', 'done'], asked: poll.done, ...asked }, means, false);
}

/** What the first request of a fan-out gave. */
export function explainList({ targets }: EachPlan, answer: Answer): Verdict[] {
  if (Array.isArray(targets)) return [];
  const expected = explainExpectation(answer, targets.request.expect ?? {}, ['sweep', 'each', 'request']);
  const asked = ask(targets.list, answer);
  const isList = Array.isArray(asked.gave);
  const means = Array.isArray(asked.gave)
    ? `a list of ${asked.gave.length}`
    : 'no list, so the run is `automation_error`';
  return [...expected, { path: ['sweep', 'each', 'targets'], asked: targets.list, ...asked, means, decides: !isList }];
}

function expectBool(verdict: Omit<Verdict, 'means' | 'decides'>, means: string, decides: boolean): Verdict {
  if (typeof verdict.gave === 'boolean') return { ...verdict, means, decides };
  return { ...verdict, means: `${explainMisfit(verdict)}, so the run is \`automation_error\``, decides: true };
}
