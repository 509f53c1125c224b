import { CelEvaluationError, evaluateCel } from '../expressions/cel.ts';
import type { AssessmentFailure, JsonValue, OutcomeRules } from '../workflows/contract.ts';
import type { Ending } from './ending.ts';
import { reasons } from './reasons.ts';

/** A response as the rules see it. */
export interface Answer {
  status: number;
  headers: Record<string, string>;
  /** Undefined when the response is not JSON. */
  body: JsonValue | undefined;
  /** The first characters of the body as they came, for a person to read. */
  start: string;
}

/** The rule id that marks an error of the automation itself; every other one is an assessment. */
const automationRule = 'C-00';

/** A rule that this answer does not fit. */
class RuleError extends Error {
  override readonly name = 'RuleError';
}

/**
 * Says what an answer means. `lock_skipped` is asked first, so that a target may say "locked" with any status, then
 * `automation_error`, then the status itself, and the assessment last. A rule that does not fit the answer is an
 * automation error, which a bad status explains better than the rule does.
 */
export function judgeAnswer(rules: OutcomeRules, answer: Answer): Ending {
  const fault = statusFault(answer);
  try {
    if (holds(rules, 'lock_skipped', answer)) return { outcome: 'lock_skipped', reason: reasons.lockSkipped };
    if (holds(rules, 'automation_error', answer)) {
      const reason = reasons.automationErrorReported(answer.status, answer.start);
      return { outcome: 'automation_error', reason, ...assessWherePossible(rules, answer) };
    }
    if (fault !== undefined) return { outcome: 'automation_error', reason: fault };
    return judgeAssessment(answer, assess(rules, answer));
  } catch (error) {
    if (!(error instanceof RuleError)) throw error;
    return { outcome: 'automation_error', reason: fault ?? error.message };
  }
}

function statusFault({ status, headers, start }: Answer): string | undefined {
  if (status >= 200 && status < 300) return undefined;
  const location = headers['location'];
  return status >= 300 && status < 400 && location !== undefined
    ? reasons.redirect(status, location)
    : reasons.badStatus(status, start);
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
  if (rules.assessment_failures === undefined) return {};
  return {
    assessed: true,
    failures: readFailures(applyRule('assessment_failures', rules.assessment_failures, answer)),
  };
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
  if (expression === undefined) return false;
  const result = applyRule(name, expression, answer);
  if (typeof result !== 'boolean') throw new RuleError(reasons.ruleFailed(name, `it gave ${show(result)}, not a bool`));
  return result;
}

function applyRule(name: string, expression: string, answer: Answer): unknown {
  if (answer.body === undefined && /\bbody\b/.test(expression)) throw new RuleError(reasons.notJson(answer.start));
  const { status, headers, body = null } = answer;
  try {
    return evaluateCel(expression, { status, headers, body });
  } catch (error) {
    if (!(error instanceof CelEvaluationError)) throw error;
    throw new RuleError(reasons.ruleFailed(name, error.message), { cause: error });
  }
}

function readFailures(list: unknown): AssessmentFailure[] {
  const rule = 'assessment_failures';
  if (!Array.isArray(list)) throw new RuleError(reasons.ruleFailed(rule, `it gave ${show(list)}, not a list`));
  return list.map((item: unknown, index) => {
    const failure = readFailure(item);
    if (failure !== undefined) return failure;
    const wanted = 'a map of the three strings target, rule and message (use .map(f, {"target": ...}))';
    throw new RuleError(reasons.ruleFailed(rule, `item ${index} is ${show(item)}, not ${wanted}`));
  });
}

function readFailure(item: unknown): AssessmentFailure | undefined {
  const entries: unknown = item instanceof Map ? Object.fromEntries(item) : item;
  if (typeof entries !== 'object' || entries === null) return undefined;
  const { target, rule, message } = entries as Record<string, unknown>;
  if (typeof target !== 'string' || typeof rule !== 'string' || typeof message !== 'string') return undefined;
  return { target, rule, message };
}

const shownCharacters = 120;

function show(value: unknown): string {
  const written = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? String(inner) : inner));
  return (written ?? String(value)).slice(0, shownCharacters);
}
