import { describe, expect, test } from 'vitest';
import { change, compileGood, listProblems, sample } from './sample.ts';

/** The sample with a section more in its sweep, at line 16, or with a `retry`, at line 8. */
const sw = (line: string, text = sample): string => change('  outcome:', `  ${line}\n  outcome:`, text);
const retry = (line: string): string => change('env:', `${line}\nenv:`);

function readPoll(text: string): unknown {
  const { order } = compileGood(text);
  return order.kind === 'watchdog' ? undefined : order.sweep.poll;
}

test('a poll has a pause that grows to four times itself, within a minute, unless it says otherwise', () => {
  expect(readPoll(sample)).toBeUndefined();
  expect(readPoll(sw('poll: { done: body.ok }'))).toEqual({ everyMs: 5_000, maxEveryMs: 20_000, done: 'body.ok' });
  const pauses = (every: string): unknown => readPoll(sw(`poll: { every: ${every}, done: body.ok }`));
  expect(pauses('30s')).toMatchObject({ everyMs: 30_000, maxEveryMs: 60_000 });
  expect(pauses('2m')).toMatchObject({ everyMs: 120_000, maxEveryMs: 120_000 });
  const stated = 'poll: { when: status == 200, every: 100ms, max_every: 1m, url: body.links.self, done: "!body.busy" }';
  expect(readPoll(sw(stated))).toEqual({
    when: 'status == 200',
    everyMs: 100,
    maxEveryMs: 60_000,
    url: 'body.links.self',
    done: '!body.busy',
  });
});

test('a retry at its defaults leaves the order and its contract as they were', () => {
  const stated = compileGood(retry('retry: { attempts: 1, backoff: 1s, idempotent: false }'));
  expect(stated.order.retry).toEqual({ attempts: 1 });
  expect(stated.order.contractHash).toBe(compileGood(sample).order.contractHash);
});

test('the pause and the promise of a retry are compiled', () => {
  const { order } = compileGood(retry('retry: { attempts: 3, backoff: 250ms, idempotent: true }'));
  expect(order.retry).toEqual({ attempts: 3, backoffMs: 250, idempotent: true });
});

test('the least duration of a run is compiled, and absent where it is not stated', () => {
  expect(compileGood(sample).order.budget).toEqual({ maxSeconds: 300, hardTimeoutMs: 360_000 });
  const { order } = compileGood(change('max_seconds: 300', 'max_seconds: 300, min_duration: 2500ms'));
  expect(order.budget.minDurationMs).toBe(2_500);
});

const table: [text: string, problems: string[]][] = [
  [
    sw('poll: { every: 5s }'),
    ['a.md:16:3: `sweep.poll.done` is missing -> expected a CEL expression in text that gives bool'],
  ],
  [sw('poll: { done: "status" }'), ['a.md:16:18: the expression gives int; expected bool']],
  [sw('poll: { done: "body.ok && sttus == 200" }'), ['a.md:16:29: unknown name `sttus` -> did you mean `status`?']],
  [sw('poll: { done: body.ok, url: "status" }'), ['a.md:16:32: the expression gives int; expected string']],
  [
    sw('poll: { done: body.ok, when: "headers" }'),
    ['a.md:16:33: the expression gives map<string, string>; expected bool'],
  ],
  [sw('poll: { done: body.ok, every: 50ms }'), ['a.md:16:33: `50ms` is too short; at least 100ms']],
  [
    sw('poll: { done: body.ok, every: 5 }'),
    ['a.md:16:33: `sweep.poll.every` is 5; expected a duration such as 30s, 5m, 1h30m -> write 5s'],
  ],
  [
    sw('poll: { done: body.ok, every: 5m }'),
    [
      'a.md:16:33: the first poll would come after 5m, and the budget ends with 5m -> poll more often, or give it a larger budget',
    ],
  ],
  [
    change('max_seconds: 300 }', 'max_seconds: 5 }', sw('poll: { done: body.ok }')),
    [
      'a.md:16:3: the first poll would come after 5s, and the budget ends with 5s -> poll more often, or give it a larger budget',
    ],
  ],
  [
    sw('poll: { done: body.ok, every: 5s, max_every: 2s }'),
    ['a.md:16:48: `max_every` is shorter than `every` (5s), and pauses only grow'],
  ],
  [
    sw('poll: { done: body.ok, evry: 5s }'),
    ['a.md:16:26: unknown key `evry` in `sweep.poll` -> did you mean `every`?'],
  ],
  [
    change('max_seconds: 300', 'max_seconds: 300, min_duration: 5m'),
    ['a.md:7:43: `min_duration` is not below `max_seconds` (300s), so every run would be too short'],
  ],
  [
    change('max_seconds: 300', 'max_seconds: 300, min_duration: 5'),
    ['a.md:7:43: `budget.min_duration` is 5; expected a duration such as 30s, 5m, 1h30m -> write 5s'],
  ],
  [
    retry('retry: { attempts: 3, backoff: 1 }'),
    ['a.md:8:32: `retry.backoff` is 1; expected a duration such as 30s, 5m, 1h30m -> write 1s'],
  ],
  [
    retry('retry: { attempts: 3, idempotent: "yes" }'),
    ['a.md:8:35: `retry.idempotent` is `yes`; expected true or false -> write `true`'],
  ],
  [
    retry('retry: { idempotent: true, backoff: 2s }'),
    [
      'a.md:8:10: warning: `idempotent` has no effect where a request is tried once -> write `attempts: 3`',
      'a.md:8:28: warning: `backoff` has no effect where a request is tried once -> write `attempts: 3`',
    ],
  ],
  [
    retry('retry: { attempts: 10, backoff: 1s }'),
    [
      'a.md:8:20: warning: the pauses between 10 attempts take 8m31s, and the budget is 5m -> the last attempts would never come; take fewer, or a shorter `backoff`',
    ],
  ],
  [
    retry('retry: { attempts: 3, idempotnet: true }'),
    ['a.md:8:23: unknown key `idempotnet` in `retry` -> did you mean `idempotent`?'],
  ],
];

describe('what is wrong with polling, retrying or the budget is told at its place', () => {
  test.each(table.map(([text, problems]) => ({ text, problems, first: problems[0] })))(
    '$first',
    ({ text, problems }) => {
      expect(listProblems(text)).toEqual(problems);
    },
  );
});
