import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CelEvaluationError, checkCel, evaluateCel } from '../../expressions/cel.ts';
import type { JsonValue } from '../../workflows/contract.ts';

const answer = {
  status: 'completed',
  count: 3,
  ratio: 1.5,
  empty: [],
  numbers: [1, 2],
  nothing: null,
  failures: [{ repo: 'alpha', rule: 'C-03', message: 'unknown status' }],
};

function evaluate(expression: string, body: JsonValue = answer): JsonValue {
  return evaluateCel(expression, { status: 200, headers: { 'retry-after': '5' }, body });
}

function catchError(expression: string, body: JsonValue = answer): unknown {
  try {
    return evaluate(expression, body);
  } catch (error) {
    return error;
  }
}

test.each([
  ['body.status == "completed"', true],
  ['body.count == 3', true],
  ['body.count > 3', false],
  ['body.count >= 3 && body.ratio < 2', true],
  ['size(body.empty) == 0', true],
  ['2 in body.numbers', true],
  ['body.nothing != null', false],
  ['has(body.absent)', false],
  ['has(body.nothing) && body.nothing == null', true],
  ['status == 200', true],
  ['headers["retry-after"] == "5"', true],
  ['"x" in headers', false],
  ['body.failures.exists(f, f.rule == "C-03")', true],
  ['body.failures.filter(f, f.rule == "C-00")', []],
  ['size(body.failures)', 1],
  ['string(body.count)', '3'],
  [
    'body.failures.map(f, {"target": f.repo, "rule": f.rule, "message": f.message})',
    [{ target: 'alpha', rule: 'C-03', message: 'unknown status' }],
  ],
])('%s gives %j', (expression, result) => {
  expect(evaluate(expression)).toEqual(result);
});

test('any JSON body comes out of an expression as it went in', () => {
  const law = fc.property(fc.jsonValue(), (value) => {
    fc.pre(!JSON.stringify(value).includes('__proto__'));
    const body = JSON.parse(JSON.stringify(value)) as JsonValue;
    expect(evaluate('body', body)).toEqual(body);
  });
  fc.assert(law, { numRuns: 50 });
});

describe('before there is a response', () => {
  test.each([
    ['body.status == "x"', 'bool'],
    ['body.done', 'bool'],
    ['body.failures', 'list'],
    ['body.failures.map(f, f.rule)', 'list'],
    ['[]', 'list'],
  ] as const)('%s may be the rule for a %s', (expression, expected) => {
    expect(checkCel(expression, expected)).toBeUndefined();
  });

  test.each([
    ['boddy.status == "x"', 0, 'unknown name `boddy`', 'did you mean `body`?'],
    ['true && xyz.a', 8, 'unknown name `xyz`', 'an expression can read status, headers, body'],
    ['body.status ==', 14, 'unexpected end of the expression', undefined],
    ['body.a & true', 7, 'unexpected character: &', undefined],
    ['status == "200"', 0, 'no operator for `int == string`', undefined],
    ['size(status) == 1', 0, '`size(int)` does not fit: no such arguments for size', undefined],
    ['body.a.startWith("x")', 0, 'unknown function `startWith`', 'did you mean `startsWith`?'],
    ['status', 0, 'the expression gives int; expected bool', undefined],
    ['"abc', 0, 'unterminated string', undefined],
    [' ', 0, 'the expression is empty', 'leave the key out instead'],
    [
      'headers["Retry-After"] == "5"',
      0,
      'header names are in lower case here, so `Retry-After` is never there',
      'write `headers["retry-after"]`',
    ],
    [
      '1 == 1.0',
      0,
      'no operator for `int == double`',
      'a number from JSON is a double: write `2.0` for `2`, or convert with int() or double()',
    ],
  ])('%s is refused at offset %i: %s', (expression, offset, message, hint) => {
    expect(checkCel(expression, 'bool')).toEqual({ offset, message, ...(hint === undefined ? {} : { hint }) });
  });

  test('a list is not a bool and a bool is not a list', () => {
    expect(checkCel('[true]', 'bool')?.message).toBe('the expression gives list<bool>; expected bool');
    expect(checkCel('true', 'list')?.message).toBe('the expression gives bool; expected list');
  });

  test('a text is neither, and may be wanted', () => {
    expect(checkCel('body.links.self', 'string')).toBeUndefined();
    expect(checkCel('headers["location"] + "?full"', 'string')).toBeUndefined();
    expect(checkCel('status', 'string')?.message).toBe('the expression gives int; expected string');
  });

  test('a rule over the targets of a fan-out knows their counts and no response', () => {
    const rule = 'failed > 2 || not_reached * 10 > total && completed + lock_skipped < 5';
    expect(checkCel(rule, 'bool', 'tally')).toBeUndefined();
    expect(checkCel(rule, 'bool')?.message).toBe('unknown name `failed`');
    expect(checkCel('faild > 2', 'bool', 'tally')).toEqual({
      offset: 0,
      message: 'unknown name `faild`',
      hint: 'did you mean `failed`?',
    });
    const tally = { total: 10, completed: 7, failed: 2, lock_skipped: 0, not_reached: 1 };
    expect(evaluateCel(rule, tally)).toBe(false);
    expect(evaluateCel(rule, { ...tally, not_reached: 2, completed: 4 })).toBe(true);
  });

  test.each([
    ['parentheses', `${'('.repeat(3_000)}true`],
    ['negations', `${'!'.repeat(3_999)}true`],
    ['a long sum', `0${'+1'.repeat(1_500)}==0`],
    ['100,000 characters', '!'.repeat(100_000)],
  ])('%s are refused as too large', (_what, expression) => {
    expect(checkCel(expression, 'bool')?.message).toMatch(/too large|cannot be read/);
  });

  test('no text makes the check throw', () => {
    const words = fc.array(
      fc.constantFrom(
        'body',
        '.',
        'a',
        '(',
        ')',
        '[',
        ']',
        '"',
        '==',
        '+',
        '1',
        '?',
        ':',
        ' ',
        '{',
        '}',
        ',',
        'has',
        'map',
        '!',
        '-',
        '\n',
      ),
    );
    fc.assert(
      fc.property(words, (list) => void checkCel(list.join(''), 'bool')),
      { numRuns: 2_000 },
    );
  });
});

describe('a response that does not fit', () => {
  test('a missing key is named, with its place', () => {
    const error = catchError('body.count == 3 && body.absent.deep == 1');
    expect(error).toBeInstanceOf(CelEvaluationError);
    expect(error).toMatchObject({ message: 'there is no key `absent`', offset: 24 });
  });

  test.each([
    ['body.a.b == 1', null],
    ['body.a.b == 1', []],
    ['body.a.b == 1', { a: 3 }],
    ['body.constructor', {}],
    ['body["__proto__"]', {}],
  ])('%s on %j is an error and not a value', (expression, body) => {
    expect(catchError(expression, body)).toBeInstanceOf(CelEvaluationError);
  });

  test('adding an integer to a number from JSON says how to do it', () => {
    expect(catchError('body.count + 1 == 4')).toMatchObject({ message: 'no operator for `double + int`' });
    expect(evaluate('body.count + 1.0 == 4.0')).toBe(true);
  });

  test('walking what is no list says so', () => {
    const error = catchError('body.nothing.map(f, f)');
    expect(error).toMatchObject({ message: expect.stringContaining("'null' cannot be range of a comprehension") });
  });
});

describe('an expression without end', () => {
  const stopped = { message: 'the expression was stopped after 2 s' };

  test('a regular expression that backtracks for ever is stopped', () => {
    expect(catchError('body.matches("(a+)+$")', `${'a'.repeat(50)}b`)).toMatchObject(stopped);
  });

  test('loops in loops over a large body are stopped', () => {
    const body = Array.from({ length: 5_000 }, (_, index) => index);
    expect(catchError('body.all(a, body.all(b, body.all(c, a + b + c >= 0.0)))', body)).toMatchObject(stopped);
  });
});
