import { CelEvaluationError, evaluateCel } from '../expressions/cel.ts';
import type { JsonValue } from '../workflows/contract.ts';
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

/** A rule that an answer does not fit; the message is a sentence for the operator. */
export class RuleError extends Error {
  override readonly name = 'RuleError';
}

/**
 * What the expression of a rule gives for an answer. `rule` is its key in the definition, such as `outcome.lock_skipped`.
 *
 * @throws RuleError
 */
export function applyRule(rule: string, expression: string, answer: Answer): JsonValue {
  if (answer.body === undefined && /\bbody\b/.test(expression)) throw new RuleError(reasons.notJson(answer.start));
  const { status, headers, body = null } = answer;
  try {
    return evaluateCel(expression, { status, headers, body });
  } catch (error) {
    if (!(error instanceof CelEvaluationError)) throw error;
    throw new RuleError(reasons.ruleFailed(rule, error.message), { cause: error });
  }
}

/**
 * Whether a rule holds.
 *
 * @throws RuleError where it does not fit the answer, or gives something else than true or false
 */
export function holdsRule(rule: string, expression: string, answer: Answer): boolean {
  const result = applyRule(rule, expression, answer);
  if (typeof result !== 'boolean') throw new RuleError(reasons.ruleFailed(rule, `it gave ${show(result)}, not a bool`));
  return result;
}

const shownCharacters = 120;

/** A value as a sentence quotes it: the start of its JSON. */
export function show(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, shownCharacters).toWellFormed();
}
