import { CelEvaluationError } from '../expressions/cel.ts';
import type { Expectation, JsonValue, OutcomeRules } from '../workflows/contract.ts';
import type { Ending } from './ending.ts';
import { judgeAnswer } from './judgement.ts';
import { type Answer, RuleError, applyRule, show } from './rule.ts';

/** What one rule said about an answer. */
export interface Verdict {
  /** Where it stands in the frontmatter. */
  path: string[];
  /** The expression, or the statuses that are expected. */
  asked: string;
  /** What the expression gave; absent where it could not be applied, and for statuses. */
  gave?: JsonValue;
  /** Why it could not be applied; `offset` counts UTF-16 units into the expression. */
  fault?: { message: string; offset: number };
  /** What follows from it, as a sentence. */
  means: string;
  /** Whether this is the rule by which the answer was taken for what it was. */
  decides: boolean;
}

/** A rule by itself: what it gave, and how a run would end if it were the only one. */
type Step = Pick<Verdict, 'path' | 'asked' | 'gave' | 'fault'> & {
  ending: Ending;
  passes: string;
  isStatus?: true;
};

const anyStatus = [{ from: 0, to: 999 }];
const anySuccess = [{ from: 200, to: 299 }];

/**
 * Says of every rule how it judged an answer, in the order in which they are asked. Each is put to the answer by the very
 * function that judges a run, all others left out; the first one that is not content decides.
 */
export function explainOutcome(
  rules: OutcomeRules,
  answer: Answer,
  expected: Expectation,
  requestPath: string[],
): Verdict[] {
  const { lock_skipped: lock, automation_error: own, assessment_failures: assessed } = rules;
  const judge = (some: OutcomeRules) => judgeAnswer(some, answer, { status: anyStatus });
  const steps: Step[] = [
    ...outcomeStep('lock_skipped', lock, answer, judge, 'nobody else is at work'),
    ...outcomeStep('automation_error', own, answer, judge, 'no error of the automation'),
    ...expectSteps(answer, expected, requestPath),
    ...outcomeStep('assessment_failures', assessed, answer, judge, ''),
  ];
  return conclude(steps);
}

/** How an answer fares that has only to be what the request expects, as that of an operation which was accepted. */
export function explainExpectation(answer: Answer, expected: Expectation, requestPath: string[]): Verdict[] {
  return conclude(expectSteps(answer, expected, requestPath));
}

function outcomeStep(
  name: keyof OutcomeRules,
  expression: string | undefined,
  answer: Answer,
  judge: (rules: OutcomeRules) => Ending,
  passes: string,
): Step[] {
  if (expression === undefined) return [];
  const ending = judge({ [name]: expression });
  const count = ending.failures?.length ?? 0;
  const counted = count === 0 ? 'nothing found: assessment `passed`' : `${count} found: assessment \`failed\``;
  const path = ['sweep', 'outcome', name];
  return [{ path, asked: expression, ...ask(expression, answer), ending, passes: passes || counted }];
}

function expectSteps(answer: Answer, { status, condition }: Expectation, requestPath: string[]): Step[] {
  const path = [...requestPath, 'expect'];
  const ranges = status ?? anySuccess;
  const asked = `status ${ranges.map(({ from, to }) => (from === to ? from : `${from}-${to}`)).join(', ')}`;
  const ending = judgeAnswer({}, answer, { status: ranges });
  const steps: Step[] = [
    {
      path: status === undefined ? requestPath : [...path, 'status'],
      asked,
      ending,
      passes: `${answer.status} is expected`,
      isStatus: true,
    },
  ];
  if (condition === undefined) return steps;
  const met = judgeAnswer({}, answer, { status: anyStatus, condition });
  const at = [...path, 'condition'];
  return [...steps, { path: at, asked: condition, ...ask(condition, answer), ending: met, passes: 'it is met' }];
}

/**
 * The first that is not content decides. Those after it were not asked, and say only what they would have given; those
 * before a status that is not expected may not fit its answer, and are excused by it.
 */
function conclude(steps: Step[]): Verdict[] {
  const first = steps.findIndex(({ ending }) => ending.outcome !== 'completed');
  const status = steps.findIndex(({ isStatus }) => isStatus === true);
  const isExcused = first < status && steps[first]?.gave !== true && steps[status]?.ending.outcome !== 'completed';
  const deciding = first !== -1 && isExcused ? status : first;
  const decider = steps[deciding];
  return steps.map((step, index) => {
    const { path, asked, gave, fault, ending, passes } = step;
    const verdict = { path, asked, ...(gave === undefined ? {} : { gave }), ...(fault === undefined ? {} : { fault }) };
    if (decider === undefined || index < first) return { ...verdict, means: passes, decides: false };
    if (index === deciding) return { ...verdict, means: explainEnding(step), decides: true };
    const means = index === first ? `${explainMisfit(step)}; its status says why` : explainAfter(step, decider);
    return { ...verdict, means: index < deciding && ending.outcome === 'completed' ? passes : means, decides: false };
  });
}

/** Why a rule that was to give a bool gave none. */
export function explainMisfit({ fault, gave }: Pick<Verdict, 'fault' | 'gave'>): string {
  return fault === undefined ? `${show(gave)} is no bool` : 'it does not fit the answer';
}

function explainEnding(step: Step): string {
  const so = `so the run is \`${step.ending.outcome}\``;
  const name = step.path.at(-1);
  if (step.isStatus === true) return `the answer has another, ${so}`;
  if (step.fault !== undefined) return `it does not fit the answer, ${so}`;
  if (name === 'assessment_failures') {
    const isOwn = step.ending.assessed === true;
    return isOwn ? `C-00 among them is an error of the automation, ${so}` : `no list of failures, ${so}`;
  }
  if (typeof step.gave !== 'boolean') return `${explainMisfit(step)}, ${so}`;
  return step.gave ? `it holds, ${so}` : `it is not met, ${so}`;
}

function explainAfter({ path, gave }: Step, decider: Step): string {
  const isListed = path.at(-1) === 'assessment_failures' && decider.path.at(-1) === 'automation_error';
  if (isListed && decider.gave === true && Array.isArray(gave)) return `${gave.length} found, listed beside the error`;
  return `not asked any more: ${decider.isStatus === true ? 'the status' : nameRule(decider.path)} has decided`;
}

function nameRule(path: string[]): string {
  return path.slice(1).join('.');
}

/** What an expression gives for an answer, or why it cannot be applied. */
export function ask(expression: string, answer: Answer): Pick<Verdict, 'gave' | 'fault'> {
  try {
    return { gave: applyRule('', expression, answer) };
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    const { cause } = error;
    if (cause instanceof CelEvaluationError) return { fault: { message: cause.message, offset: cause.offset } };
    return { fault: { message: error.message, offset: 0 } };
  }
}
