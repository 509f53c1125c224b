import { expect, test } from 'vitest';
import { deriveUuid } from '../../compiler/definition.ts';
import { change, compileGood, sample } from './sample.ts';

test('a definition compiles to the order of its runs, defaults filled in', () => {
  const { order } = compileGood(sample);
  const { cadence, contractHash, revision, ...rest } = order;
  expect(cadence).toMatchObject({ timezone: 'UTC', intervals: [], skip: [], jitterMs: 0 });
  expect(cadence.calendars).toHaveLength(1);
  expect([contractHash, revision]).toEqual([
    expect.stringMatching(/^[0-9a-f]{64}$/),
    expect.stringMatching(/^[0-9a-f]{64}$/),
  ]);
  expect(rest).toEqual({
    format: 1,
    kind: 'sweep',
    definition: {
      id: 'team.nightly-sweep',
      uuid: deriveUuid('team.nightly-sweep'),
      title: 'Nightly sweep',
      owner: 'team',
      kind: 'sweep',
    },
    misfire: { policy: 'skip', graceMs: 60_000 },
    budget: { maxSeconds: 300, hardTimeoutMs: 360_000 },
    onFailure: 'log_and_continue',
    retry: { attempts: 1 },
    env: ['HUB_URL'],
    secrets: ['HUB_TOKEN'],
    sweep: {
      request: {
        method: 'POST',
        url: '${HUB_URL}/sweep',
        headers: { Authorization: 'Bearer ${HUB_TOKEN}' },
        body: { max_seconds: '${budget.max_seconds}' },
      },
      outcome: { lock_skipped: 'body.status == "lock_skipped"', assessment_failures: 'body.failures' },
    },
  });
});

test('what is written replaces the defaults', () => {
  const stated =
    'owner: team\nenabled: true\nmisfire_policy: run_once\nmisfire_grace: 10s\non_failure: pause\nretry: { attempts: 10 }\nlabels: { tier: "1" }\nuuid: 7C4E9A12-8F3B-4D5E-9C6A-1B2D3E4F5A6B';
  const text = change('{ max_seconds: 300 }', '{ max_seconds: 300, hard_timeout: 5m }', change('owner: team', stated));
  const definition = compileGood(text);
  expect(definition).toMatchObject({
    enabled: true,
    labels: { tier: '1' },
    uuid: '7c4e9a12-8f3b-4d5e-9c6a-1b2d3e4f5a6b',
  });
  expect(definition.order).toMatchObject({
    misfire: { policy: 'run_once', graceMs: 10_000 },
    budget: { maxSeconds: 300, hardTimeoutMs: 300_000 },
    onFailure: 'pause',
    retry: { attempts: 10 },
  });
});

test('a definition is not enabled unless it says so', () => {
  expect(compileGood(sample).enabled).toBe(false);
});

test('the uuid of an id never changes', () => {
  expect(deriveUuid('the-custodian.state-hub-consistency-sweep')).toBe('3fcad696-0526-56e6-8e72-7d5ef55d9677');
});

test('the order holds names and no values, and survives JSON', () => {
  const { order } = compileGood(sample);
  expect(JSON.parse(JSON.stringify(order))).toEqual(order);
});

test('whom to tell and what it was called before are kept beside the contract', () => {
  const stated = compileGood(change('owner: team', 'owner: team\nnotify: [OPS_WEBHOOK]\nmoved_from: team.old-sweep'));
  expect(stated).toMatchObject({ notify: ['OPS_WEBHOOK'], movedFrom: ['team.old-sweep'] });
  expect(stated.order.notify).toEqual(['OPS_WEBHOOK']);
  expect(stated.order.contractHash).toBe(compileGood(sample).order.contractHash);
  expect(compileGood(sample).order).not.toHaveProperty('notify');
  expect(compileGood(change('owner: team', 'owner: team\nmoved_from: [a.b, c.d]')).movedFrom).toEqual(['a.b', 'c.d']);
});
