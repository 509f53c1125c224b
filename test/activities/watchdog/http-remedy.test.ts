import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { InterruptedError } from '../../../activities/deadline.ts';
import { startTarget } from '../../support/target.ts';
import type { Call, Target } from '../../support/target.ts';
import { defineRemedy, openRemedyStage } from './support/remedy-stage.ts';
import type { RemedyStage } from './support/remedy-stage.ts';

const secret = 'tok/en+1234567890';
const audit = `insert into gardener_runs (run_id, key, before, after, decision)
values (:run_id::uuid, :finding_key, :before::jsonb, :after::jsonb, :decision::jsonb)`;
const workers = 'select id, name, desired from workers order by id';
const redeploy = `{ method: POST, url: "\${TARGET_URL}/services/\${finding.name}/redeploy", headers: { Authorization: "Bearer \${TARGET_TOKEN}" }, body: { worker: "\${finding.id}", replicas: "\${finding.desired}", says: "\${finding.id} of \${finding.name}" } }`;

let stage: RemedyStage;
let target: Target;
beforeAll(async () => {
  [stage, target] = await Promise.all([openRemedyStage(), startTarget()]);
  await stage.client.query(`
    create table workers (id bigint, name text, desired numeric(78, 0));
    create table gardener_runs (
      run_id uuid, key text, before jsonb, after jsonb check ((after ->> 'status') <> '418'), decision jsonb
    )`);
});
afterAll(async () => {
  await Promise.all([stage.close(), target.close()]);
});
afterEach(async () => {
  await stage.client.query('truncate workers, gardener_runs');
  stage.kept.length = 0;
  target.calls.length = 0;
});

const environment = () => ({ TARGET_URL: target.url, TARGET_TOKEN: secret });
const answerWith = (status: number, body: unknown = {}, headers = {}): Target['answer'] => {
  return (_, response) => void response.writeHead(status, headers).end(JSON.stringify(body));
};
const insert = (...rows: string[]) => stage.client.query(`insert into workers values ${rows.join(', ')}`);
const readAudit = async () =>
  (await stage.client.query<Record<string, string>>('select * from gardener_runs order by key')).rows;

it('each finding is told in its turn, its numbers exact, and its triplet is kept before and after', async () => {
  await insert(`(9223372036854775807, 'a b', 1${'0'.repeat(76)}1)`, `(7, 'second/one', 3)`);
  const order = await defineRemedy(workers, redeploy, { audit });
  const keptAtCall: string[] = [];
  target.answer = (_, response) => {
    keptAtCall.push(JSON.stringify(stage.kept.at(-1)));
    response.writeHead(202).end('{"deployment":12345678901234567890}');
  };
  const treated = await stage.treat(order, environment());

  expect(treated).toMatchObject([{ outcome: 'sent' }, { outcome: 'sent' }]);
  expect(target.calls.map(({ path }) => path)).toEqual(['/services/second%2Fone/redeploy', '/services/a%20b/redeploy']);
  expect(target.calls[1]?.headers).toMatchObject({
    ...{ authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    'idempotency-key': treated[1]?.record?.id,
  });
  expect(target.calls[1]?.body).toBe(
    `{"worker":9223372036854775807,"replicas":1${'0'.repeat(76)}1,"says":"9223372036854775807 of a b"}`,
  );
  expect(keptAtCall.map((text) => JSON.parse(text))).toMatchObject(
    treated.map(({ finding, record }) => ({
      records: [
        {
          ...{ id: record?.id, findingKey: finding.key, outcome: 'failed', before: finding.json, after: null },
          error: expect.stringContaining('whether the request took effect is unknown'),
        },
      ],
    })),
  );
  expect(keptAtCall.join()).not.toContain('"fate"');
  const [{ record: first } = {}, { record: second } = {}] = treated;
  expect(first?.after).toBe('{"status":202,"attempts":1,"answer":{"deployment":12345678901234567890}}');
  expect(first).not.toHaveProperty('error');
  expect(first?.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5/);
  expect(JSON.parse(first!.decision)).toMatchObject({
    reason: `the finding is there, so POST ${target.url}/services/second%2Fone/redeploy`,
  });
  expect(stage.kept.map(({ records, fate }) => [records[0]?.id, records[0]?.outcome, fate])).toEqual([
    [first?.id, 'failed', 'aborted'],
    [first?.id, 'sent', 'committed'],
    [second?.id, 'failed', 'aborted'],
    [second?.id, 'sent', 'committed'],
  ]);
  expect((await readAudit()).map(({ after }) => after)).toHaveLength(2);
  expect((await readAudit()).at(-1)?.['before']).toContain(`1${'0'.repeat(76)}1`);
});

it('a target that refuses is a failure that is audited, and its secret is nowhere', async () => {
  await insert(`(1, 'a', 1)`);
  const retry = '{ attempts: 2, backoff: 10ms, idempotent: true }';
  const order = await defineRemedy(workers, redeploy, { audit, retry });
  target.answer = answerWith(503, { told: `Bearer ${secret}` });
  const [one] = await stage.treat(order, environment());
  expect(one).toMatchObject({
    outcome: 'failed',
    error: 'the target answered 503: {"told":"Bearer [redacted TARGET_TOKEN]"} (2 attempts)',
    record: { after: '{"status":503,"attempts":2,"answer":{"told":"Bearer [redacted TARGET_TOKEN]"}}' },
  });
  const keysSent = target.calls.map(({ headers }) => headers['idempotency-key']);
  expect(keysSent).toEqual([one?.record?.id, one?.record?.id]);
  expect(stage.kept.at(-1)).toMatchObject({ fate: 'committed', records: [{ outcome: 'failed', error: one?.error }] });
  expect(JSON.stringify([stage.kept, await readAudit()])).not.toContain(secret);
  expect(await readAudit()).toHaveLength(1);
});

it('an answer has to be what the definition expects of it', async () => {
  await insert(`(1, 'a', 1)`);
  const request = '{ method: GET, url: "${TARGET_URL}/", expect: { status: [200], condition: body.ok == true } }';
  target.answer = answerWith(200, { ok: false });
  expect(await stage.treat(await defineRemedy(workers, request), environment())).toMatchObject([
    { outcome: 'failed', error: expect.stringMatching(/does not meet the condition `body.ok == true`$/) },
  ]);
});

it('what cannot be sent, or never arrives, is a failure of its finding alone', async () => {
  await insert(`(1, 'a', 1)`, `(2, null, 1)`, `(3, 'c', null)`, `(4, 'd', 1)`);
  const order = await defineRemedy(workers, redeploy, { audit });
  target.answer = answerWith(200);
  expect(await stage.treat(order, environment())).toMatchObject([
    { outcome: 'sent' },
    { outcome: 'failed', error: '`${finding.name}` is NULL' },
    { outcome: 'failed', error: '`${finding.desired}` is NULL' },
    { outcome: 'sent' },
  ]);
  expect(target.calls).toHaveLength(2);
  expect(stage.kept.flatMap(({ records }) => records.map(({ findingKey }) => findingKey))).not.toContain('["2"]');

  await stage.client.query(`delete from workers where id > 1; delete from gardener_runs`);
  const away = await stage.treat(order, { ...environment(), TARGET_URL: 'http://127.0.0.1:1' });
  expect(away).toMatchObject([
    { outcome: 'failed', error: expect.stringMatching(/refused the connection; nothing was done$/) },
  ]);
  const forbidden = await stage.treat(order, { ...environment(), ACTCORE_ALLOWED_HOSTS: 'elsewhere.example' });
  expect(forbidden).toMatchObject([{ outcome: 'failed', error: expect.stringMatching(/; nothing was done$/) }]);
  expect(await readAudit()).toEqual([]);
});

it('nothing is sent that could not be audited, or be kept in the history', async () => {
  await insert(`(1, 'a', 1)`);
  const lost = await defineRemedy(workers, redeploy, { audit: audit.replace('gardener_runs', 'no_such_table') });
  await expect(stage.treat(lost, environment())).rejects.toThrow('relation "no_such_table" does not exist');
  const order = await defineRemedy(workers, redeploy, { audit });
  const prepare = () => Promise.reject(new Error('no place for the audit'));
  await expect(stage.treat(order, environment(), { prepare })).rejects.toThrow('no place for the audit');
  expect(target.calls).toEqual([]);
  expect(await readAudit()).toEqual([]);
  expect((await stage.client.query('select now() = statement_timestamp() as idle')).rows).toEqual([{ idle: 't' }]);
});

it('a run that has lost its session, and with it its lock, sends nothing more', async () => {
  await insert(`(1, 'a', 1)`);
  const client = new pg.Client({ connectionString: stage.url });
  client.on('error', () => {});
  const ended = new Promise((resolve) => client.once('end', resolve));
  await client.connect();
  await stage.client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
  );
  await ended;
  await expect(stage.treat(await defineRemedy(workers, redeploy), environment(), { client })).rejects.toThrow(
    /not queryable/,
  );
  expect(target.calls).toEqual([]);
  expect(stage.kept).toMatchObject([{ fate: 'aborted' }]);
});

it('a request that was answered and could not be audited says both', async () => {
  await insert(`(1, 'a', 1)`, `(2, 'b', 1)`);
  const order = await defineRemedy(workers, '{ method: POST, url: "${TARGET_URL}/", expect: { status: [418] } }', {
    audit,
  });
  target.answer = answerWith(418);
  expect(await stage.treat(order, environment())).toMatchObject(
    [1, 2].map(() => ({
      outcome: 'failed',
      error: expect.stringMatching(
        /^the target answered 418; its audit could not be written: a check constraint was violated: new row .* violates check constraint .*SQLSTATE 23514/,
      ),
      record: { after: expect.stringMatching(/^\{"status":418/) },
    })),
  );
  expect(stage.kept.filter(({ fate }) => fate === 'committed')).toHaveLength(2);
});

it('a target that hangs leaves time for the next finding, and a run that is ended leaves word of what it sent', async () => {
  await insert(`(1, 'hangs', 1)`, `(2, 'answers', 1)`);
  const order = await defineRemedy(workers, redeploy);
  const hang = (call: Call, response: Parameters<Target['answer']>[1]) => {
    if (call.path.includes('answers')) response.end('{}');
  };
  target.answer = hang;
  expect(await stage.treat(order, environment(), { statementTimeoutMs: () => 2_000 })).toMatchObject([
    {
      outcome: 'failed',
      error: expect.stringMatching(/^the target had not answered within 1 s; whether .* unknown$/),
    },
    { outcome: 'sent' },
  ]);

  stage.kept.length = 0;
  const run = new AbortController();
  target.answer = () => run.abort(new InterruptedError('hard_timeout'));
  await expect(stage.treat(order, environment(), { signal: run.signal })).rejects.toThrow(InterruptedError);
  expect(stage.kept).toMatchObject([
    {
      fate: 'committed',
      records: [{ findingKey: '["1"]', outcome: 'failed', error: expect.stringMatching(/is unknown$/) }],
    },
  ]);
});

it('the name and the password of basic authentication are redacted in any form', async () => {
  await insert(`(1, 'a', 1)`);
  const request =
    '{ method: POST, url: "${TARGET_URL}/", auth: { basic: { username: me, password: "${TARGET_TOKEN}" } } }';
  const sent = Buffer.from(`me:pw`).toString('base64');
  target.answer = (call, response) => void response.writeHead(400).end(JSON.stringify(call.headers['authorization']));
  const [one] = await stage.treat(await defineRemedy(workers, request), { ...environment(), TARGET_TOKEN: 'pw' });
  expect(one?.record?.after).toContain('[redacted auth.basic]');
  expect(one?.record?.after).not.toContain(sent);
});
