import { expect, it } from 'vitest';
import { buildRequest } from '../../activities/request.ts';
import { runIdOf } from '../../history/run-id.ts';
import { makeTick } from '../history/support/history.ts';
import { defineSweep } from '../support/definitions.ts';

const variables = new Map([
  ['TARGET_URL', 'http://target/'],
  ['TARGET_TOKEN', 's3cret'],
]);
const tick = makeTick();

function build(request: string) {
  const { order } = defineSweep('test.request', { sweep: `\n  request: ${request}\n  outcome: {}` });
  if (order.kind === 'watchdog') throw new Error('not a sweep');
  const runId = runIdOf(order.definition.uuid, tick);
  const scope = { order, firing: tick, values: variables, idempotencyKey: runId };
  return { ...buildRequest(order.sweep.request, scope), runId };
}

it('every placeholder is filled in, and a number stays a number', () => {
  const { body, url, headers, runId } = build(
    `{ method: PUT, url: "\${TARGET_URL}/\${run.trigger}", headers: { X-A: "Bearer \${TARGET_TOKEN}" }, body: { n: "\${budget.max_seconds}", at: "\${run.scheduled_at}", id: "\${run.id}", of: "\${definition.id}", by: "\${run.source}" } }`,
  );
  expect(url).toBe('http://target/schedule');
  expect(headers['x-a']).toBe('Bearer s3cret');
  expect(JSON.parse(body ?? '')).toEqual({
    ...{ n: 30, at: tick.scheduledAt, id: runId, of: 'test.request', by: 'activity-core' },
  });
});

it('a definition may change the usual headers, but not the ones that name the run', () => {
  const { headers, runId } = build(
    '{ method: POST, url: "${TARGET_URL}/x", headers: { Accept: text/plain, CONTENT-TYPE: application/x }, body: text }',
  );
  expect(headers).toMatchObject({ accept: 'text/plain', 'content-type': 'application/x', 'idempotency-key': runId });
  expect(headers['traceparent']).toMatch(new RegExp(`^00-${runId.replaceAll('-', '')}-[0-9a-f]{16}-01$`));
});

it('a body of text goes as text, one of JSON as JSON, and none has no type', () => {
  expect(build('{ method: POST, url: "${TARGET_URL}/x", body: plain }')).toMatchObject({
    ...{ body: 'plain', headers: { 'content-type': 'text/plain; charset=utf-8' } },
  });
  expect(build('{ method: POST, url: "${TARGET_URL}/x", body: [1] }')).toMatchObject({
    ...{ body: '[1]', headers: { 'content-type': 'application/json' } },
  });
  const bare = build('{ method: GET, url: "${TARGET_URL}/x" }');
  expect(bare.body).toBeUndefined();
  expect(bare.headers['content-type']).toBeUndefined();
});
