import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../activities/answer.ts';
import { judgeAnswer } from '../../activities/judgement.ts';
import type { OutcomeRules } from '../../workflows/contract.ts';

const usual: OutcomeRules = {
  lock_skipped: 'body.status == "lock_skipped"',
  automation_error: 'body.automation_error != null',
  assessment_failures: 'body.assessment_failures',
};
const healthy = { status: 'done', automation_error: null, assessment_failures: [] };
const failure = { target: 'repo-a', rule: 'C-07', message: 'status differs' };
const page = '<html>\n  <head><title>502 Bad Gateway</title></head>\n</html>';

interface Case {
  claim: string;
  rules?: OutcomeRules;
  status?: number;
  body?: unknown;
  headers?: Record<string, string>;
  outcome: string;
  reason: RegExp | string;
  failures?: unknown;
}

const cases: Case[] = [
  { claim: 'a clean answer', outcome: 'completed', reason: 'the target answered 200', failures: [] },
  {
    claim: 'assessment failures do not make the run fail',
    body: { ...healthy, assessment_failures: [failure] },
    outcome: 'completed',
    reason: 'the target answered 200 and reported 1 assessment failure',
    failures: [failure],
  },
  {
    claim: 'further keys of a failure are left out',
    body: { ...healthy, assessment_failures: [{ ...failure, more: 1 }, failure] },
    outcome: 'completed',
    reason: 'the target answered 200 and reported 2 assessment failures',
    failures: [failure, failure],
  },
  { claim: 'a lock', body: { status: 'lock_skipped' }, outcome: 'lock_skipped', reason: /holds its lock/ },
  {
    claim: 'a lock by its status, without a body',
    rules: { lock_skipped: 'status == 409' },
    status: 409,
    body: '',
    outcome: 'lock_skipped',
    reason: /holds its lock/,
  },
  {
    claim: 'a lock by status 409 and body',
    rules: { ...usual, lock_skipped: 'status == 409 && body.status == "busy"' },
    status: 409,
    body: { status: 'busy' },
    outcome: 'lock_skipped',
    reason: /holds its lock/,
  },
  {
    claim: 'a 409 that no rule knows',
    status: 409,
    outcome: 'automation_error',
    reason: /^the target answered 409: \{/,
  },
  {
    claim: 'an automation error with its assessment',
    body: { ...healthy, automation_error: 'git broke', assessment_failures: [failure] },
    outcome: 'automation_error',
    reason: /^the target answered 200 and reported \{.*git broke/,
    failures: [failure],
  },
  {
    claim: 'an automation error without an assessment still says what it was',
    body: { status: 'broken', automation_error: 'git broke' },
    outcome: 'automation_error',
    reason: /git broke/,
  },
  {
    claim: 'C-00 is the automation, not an assessment',
    body: { ...healthy, assessment_failures: [failure, { ...failure, rule: 'C-00', message: 'no database' }] },
    outcome: 'automation_error',
    reason: 'the target reported an error of its own automation (C-00): no database',
    failures: [failure, { ...failure, rule: 'C-00', message: 'no database' }],
  },
  {
    claim: 'a 503 with an HTML page is quoted on one line',
    status: 503,
    body: page,
    outcome: 'automation_error',
    reason: 'the target answered 503: <html> <head><title>502 Bad Gateway</title></head> </html>',
  },
  {
    claim: 'a 500 without a body',
    status: 500,
    body: '',
    outcome: 'automation_error',
    reason: 'the target answered 500 with an empty body',
  },
  {
    claim: 'a 200 with an HTML page where rules need JSON',
    body: page,
    outcome: 'automation_error',
    reason: /^the response is not JSON, which the outcome rules need; it starts with: <html>/,
  },
  {
    claim: 'an empty 204 where rules need JSON',
    status: 204,
    body: '',
    outcome: 'automation_error',
    reason: /^the response is empty/,
  },
  { claim: 'no rules and no JSON', rules: {}, body: 'OK', outcome: 'completed', reason: 'the target answered 200' },
  {
    claim: 'a redirect names where to',
    status: 301,
    body: '',
    headers: { location: 'https://elsewhere/x' },
    outcome: 'automation_error',
    reason: /^the target answered 301 with a redirect to https:\/\/elsewhere\/x, which is not followed/,
  },
  {
    claim: 'a 304 without a place',
    status: 304,
    body: '',
    outcome: 'automation_error',
    reason: /^the target answered 304 with an empty body/,
  },
  {
    claim: 'a rule that names a key that is not there',
    body: { status: 'done' },
    outcome: 'automation_error',
    reason: /^the rule outcome\.automation_error could not be applied: there is no key `automation_error`/,
  },
  {
    claim: 'a rule that gives no bool',
    rules: { automation_error: 'body.automation_error' },
    outcome: 'automation_error',
    reason: /outcome\.automation_error could not be applied: it gave null, not a bool/,
  },
  {
    claim: 'failures that are no list',
    body: { ...healthy, assessment_failures: 'none' },
    outcome: 'automation_error',
    reason: /outcome\.assessment_failures could not be applied: it gave "none", not a list/,
  },
  {
    claim: 'an item that is a text',
    body: { ...healthy, assessment_failures: ['repo-a'] },
    outcome: 'automation_error',
    reason: /item 0 is "repo-a", not a map of the three strings/,
  },
  {
    claim: 'an item with a number for a rule',
    body: { ...healthy, assessment_failures: [failure, { ...failure, rule: 7 }] },
    outcome: 'automation_error',
    reason: /item 1 is \{"target":"repo-a","rule":7/,
  },
  {
    claim: 'items mapped by the rule',
    rules: { assessment_failures: 'body.items.map(i, {"target": i, "rule": "C-01", "message": "m"})' },
    body: { items: ['a', 'b'] },
    outcome: 'completed',
    reason: /2 assessment failures/,
    failures: [
      { target: 'a', rule: 'C-01', message: 'm' },
      { target: 'b', rule: 'C-01', message: 'm' },
    ],
  },
  {
    claim: 'rules that read headers',
    rules: { lock_skipped: 'headers["x-lock"] == "held"' },
    headers: { 'x-lock': 'held' },
    outcome: 'lock_skipped',
    reason: /lock/,
  },
];

describe('an answer and its rules decide how a run ended', () => {
  it.for(cases.map((one) => [one.claim, one] as const))('%s', ([, one]) => {
    const { rules = usual, status = 200, body = healthy, headers = {} } = one;
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const { answer } = readAnswer({ status, headers, text }, (same) => same);
    const ending = judgeAnswer(rules, answer);
    expect(ending.outcome).toBe(one.outcome);
    expect(ending.reason).toMatch(one.reason);
    expect(ending.failures).toEqual(one.failures);
    expect(ending.assessed ?? false).toBe(one.failures !== undefined);
  });
});
