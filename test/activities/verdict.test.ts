import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeAnswer } from '../../activities/judgement.ts';
import type { Answer } from '../../activities/judgement.ts';
import { explainOutcome } from '../../activities/verdict.ts';
import type { Verdict } from '../../activities/verdict.ts';
import type { Expectation, JsonValue, OutcomeRules } from '../../workflows/contract.ts';

const path = ['sweep', 'request'];

function answerOf(body: JsonValue | undefined, status = 200): Answer {
  return { status, headers: {}, body, start: JSON.stringify(body) ?? '' };
}

function explain(rules: OutcomeRules, answer: Answer, expected: Expectation = {}): Verdict[] {
  return explainOutcome(rules, answer, expected, path);
}

const bools = ['body.locked', 'body.missing', 'status == 409', 'true', 'body', 'body.n > 1.0'];
const lists = ['body.list', 'body.missing', 'body.locked', 'body', '[]', 'body.own'];
const failure = { target: 'a', rule: 'C-01', message: 'm' };
const bodies: (JsonValue | undefined)[] = [
  undefined,
  null,
  true,
  [],
  ['not a failure'],
  { locked: true, list: [] },
  { locked: false, list: [failure], n: 2, own: [{ ...failure, rule: 'C-00' }] },
  { locked: 'no', list: 'none', n: 0, own: [] },
];

const optional = (expressions: string[]) => fc.constantFrom(undefined, ...expressions);

type Present<Value> = { [Key in keyof Value]?: NonNullable<Value[Key]> };

/** Leaves out what is undefined. */
function present<Value extends object>(value: Value): Present<Value> {
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)) as Present<Value>;
}

it('the rule that decides says the outcome that the run has, whatever rules and answer; where none does it has completed', () => {
  const rules = fc.record({
    lock_skipped: optional(bools),
    automation_error: optional(bools),
    assessment_failures: optional(lists),
  });
  const expected = fc.record({
    status: fc.constantFrom<Expectation['status'][]>(undefined, [{ from: 200, to: 204 }], [{ from: 409, to: 409 }]),
    condition: optional(bools),
  });
  const answers = fc.tuple(fc.constantFrom(...bodies), fc.constantFrom(200, 204, 302, 409, 500));
  fc.assert(
    fc.property(rules, expected, answers, (someRules, someExpected, [body, status]) => {
      const [given, wanted] = [present(someRules), present(someExpected)];
      const answer = answerOf(body, status);
      const { outcome } = judgeAnswer(given, answer, wanted);
      const deciding = explain(given, answer, wanted).filter(({ decides }) => decides);
      const told = deciding.map(({ means }) => /`(\w+)`$/.exec(means)?.[1]);
      expect(told).toEqual(outcome === 'completed' ? [] : [outcome]);
    }),
    { numRuns: 500 },
  );
});

describe('each rule says what it gave and what follows', () => {
  const rules = {
    lock_skipped: 'body.status == "locked"',
    automation_error: 'body.error != null',
    assessment_failures: 'body.list',
  };

  it('an answer of which nothing is to be said', () => {
    const verdicts = explain(rules, answerOf({ status: 'done', error: null, list: [] }));
    expect(verdicts.map(({ path: at, gave, means }) => [at.at(-1), gave, means])).toEqual([
      ['lock_skipped', false, 'nobody else is at work'],
      ['automation_error', false, 'no error of the automation'],
      ['request', undefined, '200 is expected'],
      ['assessment_failures', [], 'nothing found: assessment `passed`'],
    ]);
  });

  it('what comes after the rule that decided was not asked', () => {
    const verdicts = explain(rules, answerOf({ status: 'locked', error: null, list: [failure] }, 409));
    expect(verdicts.map(({ means }) => means)).toEqual([
      'it holds, so the run is `lock_skipped`',
      ...Array<string>(3).fill('not asked any more: outcome.lock_skipped has decided'),
    ]);
  });

  it('a list beside an error of the automation is kept', () => {
    const verdicts = explain(rules, answerOf({ status: 'done', error: 'disk full', list: [failure] }));
    expect(verdicts[1]).toMatchObject({ decides: true, means: 'it holds, so the run is `automation_error`' });
    expect(verdicts[3]?.means).toBe('1 found, listed beside the error');
  });

  it('where the status is not expected, it is that and not the rule which does not fit its answer', () => {
    const verdicts = explain(rules, answerOf({ message: 'no' }, 401));
    expect(verdicts.map(({ decides }) => decides)).toEqual([false, false, true, false]);
    expect(verdicts[0]?.means).toBe('it does not fit the answer; its status says why');
    expect(verdicts[2]?.means).toBe('the answer has another, so the run is `automation_error`');
  });

  it('a fault has its place in the expression', () => {
    const [verdict] = explain({ lock_skipped: 'status == 200 && body.gone == 1.0' }, answerOf({}));
    expect(verdict).toMatchObject({ decides: true, fault: { message: 'there is no key `gone`', offset: 22 } });
    expect(verdict).not.toHaveProperty('gave');
  });

  it('C-00 in the list is told from a list that is none', () => {
    const own = explain({ assessment_failures: 'body' }, answerOf([{ ...failure, rule: 'C-00' }]));
    expect(own.at(-1)?.means).toBe('C-00 among them is an error of the automation, so the run is `automation_error`');
    const none = explain({ assessment_failures: 'body' }, answerOf(['a']));
    expect(none.at(-1)?.means).toBe('no list of failures, so the run is `automation_error`');
  });
});
