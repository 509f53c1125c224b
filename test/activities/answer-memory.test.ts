import { expect, it } from 'vitest';
import { openAnswerMemory } from '../../activities/answer-memory.ts';
import type { SweepPlan } from '../../workflows/contract.ts';

const request = { method: 'GET', url: 'http://127.0.0.1/', headers: {} };
const timing = { connectMs: 0, tlsMs: 0, firstByteMs: 0, bodyMs: 0 };
const judged = { ending: { outcome: 'completed', reason: 'well' }, stored: { status: 200, json: '{}' } } as const;

function recalls(plan: Partial<SweepPlan>, first: [number, string], second: [number, string]): boolean {
  const memory = openAnswerMemory({ request, outcome: {}, ...plan });
  const answer = ([status, text]: [number, string]) => ({ status, text, headers: {}, timing });
  memory.keep(answer(first), judged);
  return memory.recall(answer(second)) === judged;
}

it('an answer like the last one is recalled, and one with another status or body is not', () => {
  expect(recalls({}, [200, '{}'], [200, '{}'])).toBe(true);
  expect(recalls({}, [200, '{}'], [201, '{}'])).toBe(false);
  expect(recalls({}, [200, '{}'], [200, '{"a":1}'])).toBe(false);
});

it('nothing is recalled where the headers of an answer decide', () => {
  const alike: [[number, string], [number, string]] = [
    [200, '{}'],
    [200, '{}'],
  ];
  expect(recalls({ outcome: { lock_skipped: 'headers["x"] == "y"' } }, ...alike)).toBe(false);
  expect(recalls({ request: { ...request, expect: { condition: '"etag" in headers' } } }, ...alike)).toBe(false);
  expect(recalls({ poll: { everyMs: 1, maxEveryMs: 1, done: 'true' } }, ...alike)).toBe(false);
  expect(recalls({}, [301, ''], [301, ''])).toBe(false);
});

it('a long answer is not kept', () => {
  const long = 'x'.repeat(5_000);
  expect(recalls({}, [200, long], [200, long])).toBe(false);
});
