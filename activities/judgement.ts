import type { AssessmentFailure, Expectation, OutcomeRules } from '../workflows/contract.ts';
import type { Ending } from './ending.ts';
import { reasons } from './reasons.ts';
import { type Answer, RuleError, applyRule, holdsRule, show } from './rule.ts';

export type { Answer } from './rule.ts';

/** The rule id that marks an error of the automation itself; every other one is an assessment. */
const automationRule = 'C-00';

/**
 * Says what an answer means. `lock_skipped` is asked first, so that a target may say "locked" with any status, then
 * `automation_error`, then the status and what else the request expects, and the assessment last. A rule that does not
 * fit the answer is an automation error, which an unexpected answer explains better than the rule does.
 */
export function judgeAnswer(rules: OutcomeRules, answer: Answer, expected: Expectation = {}): Ending {
  const fault = findStatusFault(answer, expected);
  try {
    if (holds(rules, 'lock_skipped', answer)) return { outcome: 'lock_skipped', reason: reasons.lockSkipped };
    if (holds(rules, 'automation_error', answer)) {
      const reason = reasons.automationErrorReported(answer.status, answer.start);
      return { outcome: 'automation_error', reason, ...assessWherePossible(rules, answer) };
    }
    const unmet = fault ?? findConditionFault(answer, expected);
    if (unmet !== undefined) return { outcome: 'automation_error', reason: unmet };
    return judgeAssessment(answer, assess(rules, answer));
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { outcome: 'automation_error', reason: fault ?? error.message };
  }
}

/** Whether the target says that it is at work for someone else, which no further attempt would change. */
export function isLocked(rules: OutcomeRules, answer: Answer): boolean {
  try {
    return holds(rules, 'lock_skipped', answer);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return false;
  }
}

/**
 * Why an answer is not what the request expects; nothing where it is.
 *
 * @throws RuleError where the condition does not fit the answer
 */
export function findExpectationFault(answer: Answer, expected: Expectation = {}): string | undefined {
  return findStatusFault(answer, expected) ?? findConditionFault(answer, expected);
}

const anySuccess = [{ from: 200, to: 299 }];

function findStatusFault({ status, headers, start }: Answer, expected: Expectation): string | undefined {
  const ranges = expected.status ?? anySuccess;
  if (ranges.some(({ from, to }) => status >= from && status <= to)) return undefined;
  const location = headers['location'];
  if (status >= 300 && status < 400 && location !== undefined) return reasons.redirect(status, location);
  return expected.status === undefined
    ? reasons.badStatus(status, start)
    : reasons.unexpectedStatus(status, expected.status, start);
}

function findConditionFault(answer: Answer, { condition }: Expectation): string | undefined {
  if (condition === undefined || holdsRule('request.expect.condition', condition, answer)) return undefined;
  return reasons.unmetCondition(answer.status, condition, answer.start);
}

type AssessedFailures = Pick<Ending, 'assessed' | 'failures'>;

function judgeAssessment(answer: Answer, assessment: AssessedFailures): Ending {
  const failures = assessment.failures ?? [];
  const own = failures.find((failure) => failure.rule === automationRule);
  return own === undefined
    ? { outcome: 'completed', reason: reasons.completed(answer.status, failures.length), ...assessment }
    : { outcome: 'automation_error', reason: reasons.automationRule(own.message), ...assessment };
}

function assess(rules: OutcomeRules, answer: Answer): AssessedFailures {
  const { assessment_failures: expression } = rules;
  if (expression === undefined) return {};
  return { assessed: true, failures: readFailures(applyRule('outcome.assessment_failures', expression, answer)) };
}

/** A target whose automation failed may have assessed nothing: that must not hide what it said about the failure. */
function assessWherePossible(rules: OutcomeRules, answer: Answer): AssessedFailures {
  try {
    return assess(rules, answer);
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return {};
  }
}

function holds(rules: OutcomeRules, name: 'lock_skipped' | 'automation_error', answer: Answer): boolean {
  const expression = rules[name];
  return expression !== undefined && holdsRule(`outcome.${name}`, expression, answer);
}

function readFailures(list: unknown): AssessmentFailure[] {
  const rule = 'outcome.assessment_failures';
  if (!Array.isArray(list)) throw new RuleError(reasons.ruleFailed(rule, `it gave ${show(list)}, not a list`));
  return list.map((item: unknown, index) => {
    const failure = readFailure(item);
    if (failure !== undefined) return failure;
    const wanted = 'a map of the three strings target, rule and message (use .map(f, {"target": ...}))';
    throw new RuleError(reasons.ruleFailed(rule, `item ${index} is ${show(item)}, not ${wanted}`));
  });
}

function readFailure(item: unknown): AssessmentFailure | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { target, rule, message } = item as Record<string, unknown>;
  if (typeof target !== 'string' || typeof rule !== 'string' || typeof message !== 'string') return undefined;
  return { target, rule, message };
}
