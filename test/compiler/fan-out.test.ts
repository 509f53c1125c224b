import { describe, expect, test } from 'vitest';
import { change, compileGood, listProblems, sample } from './sample.ts';

/** The sample with a section more in its sweep, at line 16. */
const sw = (line: string, text = sample): string => change('  outcome:', `  ${line}\n  outcome:`, text);
const targeted = (line: string): string => change('/sweep\n', '/sweep/${target}\n', sw(line));
const mapped = (line: string): string => change('/sweep\n', '/sweep/${target.name}\n', sw(line));

function readEach(text: string): unknown {
  const { order } = compileGood(text);
  return order.kind === 'watchdog' ? undefined : order.sweep.each;
}

test('a sweep without `each` says nothing of it', () => {
  expect(readEach(sample)).toBeUndefined();
});

test('listed targets are texts, or mappings that are told apart by a key', () => {
  expect(readEach(targeted('each: { targets: [north, south] }'))).toEqual({
    targets: ['north', 'south'],
    key: 'name',
    concurrency: 10,
  });
  const stated =
    'each: { targets: [{ id: a, port: 1 }, { id: b, port: 2 }], key: id, concurrency: 50, per_target_seconds: 300, fail_when: failed * 2 > total - not_reached || lock_skipped > completed }';
  expect(readEach(change('/sweep\n', '/sweep/${target.id}:${target.port}\n', sw(stated)))).toEqual({
    targets: [
      { id: 'a', port: 1 },
      { id: 'b', port: 2 },
    ],
    key: 'id',
    concurrency: 50,
    perTargetSeconds: 300,
    failWhen: 'failed * 2 > total - not_reached || lock_skipped > completed',
  });
});

test('requested targets are a request and a list in CEL; their fields are not known beforehand', () => {
  const line =
    'each: { request: { method: GET, url: "${HUB_URL}/list", auth: { bearer: "${HUB_TOKEN}" } }, targets: "body.items.filter(i, i.on)" }';
  const text = change('/sweep\n', '/sweep/${target.whatever}\n', sw(line));
  expect(readEach(text)).toEqual({
    targets: {
      request: { method: 'GET', url: '${HUB_URL}/list', headers: {}, auth: { bearer: '${HUB_TOKEN}' } },
      list: 'body.items.filter(i, i.on)',
    },
    key: 'name',
    concurrency: 10,
  });
  expect(listProblems(text)).toEqual([]);
});

test('ten thousand targets are taken and one more is not', () => {
  const list = (count: number): string => {
    const names = Array.from({ length: count }, (_, index) => `t${index}`);
    return targeted(`each: { targets: [${names.join(', ')}] }`);
  };
  expect(listProblems(list(10_000))).toEqual([]);
  expect(listProblems(list(10_001))).toEqual([
    'a.md:16:20: 10001 targets are more than a sweep takes, which is 10000 -> split the sweep',
  ]);
});

const table: [text: string, problems: string[]][] = [
  [
    sw('each: {}'),
    [
      'a.md:16:3: `sweep.each.targets` is missing -> expected a list of targets, or with `request` a CEL expression that gives one',
    ],
  ],
  [targeted('each: { targets: [] }'), ['a.md:16:20: there are no targets, so this would never do anything']],
  [
    targeted('each: { targets: [a, b, a] }'),
    ['a.md:16:27: the target `a` is here already, as number 1 -> remove it; each target gets one request'],
  ],
  [
    targeted('each: { targets: [a, 1] }'),
    ['a.md:16:24: `sweep.each.targets[1]` is 1; expected text, or a mapping with the key that names it'],
  ],
  [
    targeted('each: { targets: [a, " "] }'),
    [`a.md:16:24: a target's name is one line of text, at most 500 characters`],
  ],
  [
    targeted('each: { targets: [a, { name: b }] }'),
    ['a.md:16:24: the first target is a text, and this one is a mapping -> write all of them in the same way'],
  ],
  [
    sw('each: { targets: [a, b] }'),
    ['a.md:16:3: warning: no `${target}` stands in the request, so it is the same for every target'],
  ],
  [
    targeted('each: { targets: [{ name: a }] }'),
    ['a.md:13:27: `${target}` is a mapping here -> write one of its fields, such as `${target.name}`'],
  ],
  [
    mapped('each: { targets: [a] }'),
    ['a.md:13:27: the targets are texts, so there is no `${target.name}` -> write `${target}`'],
  ],
  [
    mapped('each: { targets: [{ name: a }, { nam: b }] }'),
    ['a.md:16:34: this target has no `name`, which names it -> add `name`, or say by `key:` which one names a target'],
  ],
  [
    mapped('each: { targets: [{ name: a }, { name: a }] }'),
    ['a.md:16:42: the target `a` is here already, as number 1 -> remove it; each target gets one request'],
  ],
  [
    mapped('each: { targets: [{ name: a }, { name: 1 }] }'),
    ['a.md:16:42: `name` names the target and is not text -> put quotes around it'],
  ],
  [
    change('/sweep\n', '/sweep/${target.port}\n', sw('each: { targets: [{ name: a, port: 1 }, { name: b }] }')),
    ['a.md:13:27: the target `b` has no `port` for `${target.port}` -> every target needs it'],
  ],
  [
    change('/sweep\n', '/sweep/${target.port}\n', sw('each: { targets: [{ name: a, port: [1] }] }')),
    ['a.md:13:27: `${target.port}` is not text or a number in the target `a` -> put quotes around it'],
  ],
  [
    change('/sweep\n', '/sweep/${target.a.b}\n', sw('each: { targets: [{ name: a, a: { b: 1 } }] }')),
    ['a.md:13:27: `${target.a.b}` names no field of a target -> write `${target.name}`'],
  ],
  [
    mapped('each: { key: id, targets: [{ name: a }] }'),
    ['a.md:16:30: this target has no `id`, which names it -> add `id`, or say by `key:` which one names a target'],
  ],
  [
    change('/sweep\n', '/sweep/${target}\n'),
    [
      'a.md:13:27: `${target}` is known only in `sweep.request`, and there only with `each:` -> say by `each: { targets: [...] }` what the targets are',
    ],
  ],
  [
    change('/sweep\n', '/sweep/${targt}\n', sw('each: { targets: [a, b] }')),
    ['a.md:13:27: `${targt}` is not a variable that a request can use -> did you mean `target`?'],
  ],
  [
    targeted('each: { request: { method: GET, url: "${HUB_URL}/${target}" }, targets: body.list }'),
    [
      'a.md:16:52: `${target}` is known only in `sweep.request`, and there only with `each:` -> say by `each: { targets: [...] }` what the targets are',
    ],
  ],
  [
    targeted('each: { targets: body.list }'),
    [
      'a.md:16:20: the targets are CEL over the answer to a `request`, and there is none -> add `request:` beside it, or write the targets as a list',
    ],
  ],
  [
    targeted('each: { request: { method: GET, url: "${HUB_URL}" }, targets: [a] }'),
    [
      'a.md:16:11: the targets are listed, so nothing is requested -> remove it, or write the targets as CEL over its answer',
    ],
  ],
  [
    targeted('each: { request: { method: GET, url: "${HUB_URL}" }, targets: "status" }'),
    ['a.md:16:66: the expression gives int; expected list'],
  ],
  [
    targeted('each: { request: { method: GET, url: "${HUB_URL}" }, targets: "body.list.filter(x, bod.y)" }'),
    ['a.md:16:86: unknown name `bod` -> did you mean `body`?'],
  ],
  [
    targeted('each: { targets: { a: b } }'),
    [
      'a.md:16:20: `sweep.each.targets` is a mapping; expected a list of targets, or with `request` a CEL expression that gives one',
    ],
  ],
  [
    targeted('each: { request: { method: GET, url: "${HUB_URL}", body: x }, targets: body.list }'),
    ['a.md:16:54: a GET request has no body -> use POST, or leave `body` out'],
  ],
  [
    targeted('each: { targets: [a], concurrency: 101 }'),
    ['a.md:16:38: `sweep.each.concurrency` is 101; expected a whole number from 1 to 100'],
  ],
  [
    targeted('each: { targets: [a], per_target_seconds: 301 }'),
    ['a.md:16:45: one target may take 301s, and the budget of all of them is 300s'],
  ],
  [targeted('each: { targets: [a], fail_when: failed }'), ['a.md:16:36: the expression gives int; expected bool']],
  [
    targeted('each: { targets: [a], fail_when: "failed > 0 || status == 3" }'),
    ['a.md:16:51: unknown name `status` -> an expression can read total, completed, failed, lock_skipped, not_reached'],
  ],
  [
    targeted('each: { targets: [a], concurency: 3 }'),
    ['a.md:16:25: unknown key `concurency` in `sweep.each` -> did you mean `concurrency`?'],
  ],
];

describe('what is wrong with a fan-out is told at its place', () => {
  test.each(table.map(([text, problems]) => ({ text, problems, first: problems[0] })))(
    '$first',
    ({ text, problems }) => {
      expect(listProblems(text)).toEqual(problems);
    },
  );
});
