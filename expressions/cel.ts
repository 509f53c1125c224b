import { Script, createContext } from 'node:vm';
import { EvaluationError, ParseError, TypeError as CelTypeError } from '@marcbachmann/cel-js';
import type { JsonValue } from '../workflows/contract.ts';
import { celEnvironments, longestExpression } from './cel-scope.ts';
import type { CelScope, CelSubject, CelTally } from './cel-scope.ts';
import { describeCelError } from './cel-message.ts';
import { findHeaderKeyFault } from './cel-headers.ts';
import type { Fault } from './fault.ts';

/** What an expression has to give. */
export type CelResult = 'bool' | 'list' | 'string';

/** An expression did not fit the response: a key that is not there, types that do not match, or no end in time. */
export class CelEvaluationError extends Error {
  override readonly name = 'CelEvaluationError';
  readonly expression: string;
  /** Where in the expression, UTF-16 units from 0. */
  readonly offset: number;

  /** The engine's own errors hold its whole environment and say no more than the message: they are no cause. */
  constructor(message: string, expression: string, offset: number, cause: unknown) {
    super(message, isEngineError(cause) ? undefined : { cause });
    this.expression = expression;
    this.offset = offset;
  }
}

/** An expression that needs longer than this is stopped; a large body takes some ten milliseconds. */
const deadlineMs = 2_000;

/** Many definitions share a few expressions. */
const checked = new Map<string, Fault | undefined>();
const mostChecked = 1_000;

/** Checks names, functions and types without a response; what `body` holds is not known before there is one. */
export function checkCel(expression: string, expected: CelResult, subject: CelSubject = 'response'): Fault | undefined {
  const key = `${subject} ${expected} ${expression}`;
  if (checked.has(key)) return checked.get(key);
  const fault = findCelFault(expression, expected, subject);
  if (checked.size >= mostChecked) checked.clear();
  checked.set(key, fault);
  return fault;
}

function findCelFault(expression: string, expected: CelResult, subject: CelSubject): Fault | undefined {
  if (expression.trim() === '') {
    return { offset: 0, message: 'the expression is empty', hint: 'leave the key out instead' };
  }
  if (expression.length > longestExpression) {
    return { offset: 0, message: `the expression is too large: more than ${longestExpression} characters` };
  }
  try {
    const parsed = celEnvironments[subject].parse(expression);
    const { error, type } = parsed.check();
    if (error !== undefined) return readFault(error, subject);
    const isFitting = type === 'dyn' || (expected === 'list' ? /^list\b/.test(type ?? '') : type === expected);
    if (isFitting) return findHeaderKeyFault(parsed.ast);
    return { offset: 0, message: `the expression gives ${type}; expected ${expected}` };
  } catch (error) {
    return readFault(error, subject);
  }
}

/**
 * Evaluates an expression on a response, or on how the targets of a fan-out ended. Integers come back as JavaScript numbers where those hold them exactly, as
 * text otherwise.
 * @throws CelEvaluationError
 */
export function evaluateCel(expression: string, scope: CelScope | CelTally): JsonValue {
  const subject = 'body' in scope ? 'response' : 'tally';
  try {
    if (expression.length > longestExpression) throw new RangeError(`more than ${longestExpression} characters`);
    const evaluate = parseOnce(expression, subject);
    const context = 'body' in scope ? { ...scope, status: BigInt(scope.status) } : readTally(scope);
    return toJson(mayLoop.test(expression) ? runWithDeadline(() => evaluate(context)) : evaluate(context));
  } catch (error) {
    const { message, offset } = isTimeout(error)
      ? { message: `the expression was stopped after ${deadlineMs / 1_000} s`, offset: 0 }
      : readFault(error, subject);
    throw new CelEvaluationError(message, expression, offset, error);
  }
}

/** Numbers are integers in CEL. */
function readTally(tally: CelTally): Record<string, bigint> {
  return Object.fromEntries(Object.entries(tally).map(([name, value]: [string, number]) => [name, BigInt(value)]));
}

/** Without a call, a macro or a sum an expression takes no longer than its text and what it compares: no need to watch it. */
const mayLoop = /[(+]/;

type Evaluate = ReturnType<(typeof celEnvironments)['response']['parse']>;

/** A fan-out asks the same few questions of thousands of answers. */
const parsed: Record<CelSubject, Map<string, Evaluate>> = { response: new Map(), tally: new Map() };
const mostParsed = 200;

function parseOnce(expression: string, subject: CelSubject): Evaluate {
  const known = parsed[subject];
  const before = known.get(expression);
  if (before !== undefined) return before;
  const evaluate = celEnvironments[subject].parse(expression);
  if (known.size >= mostParsed) known.clear();
  known.set(expression, evaluate);
  return evaluate;
}

const trampoline = new Script('evaluate()');
const sandbox: { evaluate?: () => unknown } = {};
const watched = createContext(sandbox);

/** Runs a function under the engine's watchdog, which stops loops and regular expressions that nothing else would. */
function runWithDeadline(evaluate: () => unknown): unknown {
  sandbox.evaluate = evaluate;
  try {
    return trampoline.runInContext(watched, { timeout: deadlineMs });
  } finally {
    delete sandbox.evaluate;
  }
}

/** The watchdog's error comes from the other context, where `Error` is another class. */
function isTimeout(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
  );
}

function readFault(error: unknown, subject: CelSubject): Fault {
  if (isEngineError(error)) {
    return { offset: error.range?.start ?? 0, ...describeCelError(error, subject) };
  }
  return {
    offset: 0,
    message: `the expression cannot be read: ${error instanceof Error ? error.message : String(error)}`,
  };
}

function isEngineError(error: unknown): error is EvaluationError | ParseError | CelTypeError {
  return error instanceof EvaluationError || error instanceof ParseError || error instanceof CelTypeError;
}

function toJson(value: unknown): JsonValue {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (value instanceof Set) return [...value].map(toJson);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [String(key), toJson(item)]));
  if (typeof value === 'object' && isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item)]));
  }
  const primitive: unknown = typeof value === 'object' ? value.valueOf() : undefined;
  return typeof primitive === 'bigint' || typeof primitive === 'number' ? toJson(primitive) : null;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
