import { describe, expect, it } from 'vitest';
import { buildPollRequest, buildRequest, renderTlsFiles } from '../../activities/request.ts';
import type { RequestScope } from '../../activities/request.ts';
import { TemplateError } from '../../expressions/template.ts';
import { runIdOf } from '../../history/run-id.ts';
import { makeTick } from '../history/support/history.ts';
import { defineSweep } from '../support/definitions.ts';
import type { JsonValue, RequestTemplate, SweepOrder } from '../../workflows/contract.ts';

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

const { order: anyOrder } = defineSweep('test.parts');
const order = { ...(anyOrder as SweepOrder), env: ['TARGET_URL'], secrets: ['TARGET_TOKEN'] };

function scopeOf(values: Record<string, string> = {}, target?: JsonValue): RequestScope {
  return {
    ...{
      order,
      firing: tick,
      values: new Map([...variables, ...Object.entries(values)]),
      idempotencyKey: runIdOf(order.definition.uuid, tick),
    },
    ...(target === undefined ? {} : { target }),
  };
}

const template = (parts: Partial<RequestTemplate> = {}): RequestTemplate => ({
  ...{ method: 'POST', url: '${TARGET_URL}/x', headers: {} },
  ...parts,
});

describe('query', () => {
  it('is encoded and appended; a list repeats the name', () => {
    const query = { q: 'a b&c=${TARGET_TOKEN}', tag: ['x', 'y/z'], 'n m': '' };
    expect(buildRequest(template({ query }), scopeOf()).url).toBe(
      'http://target/x?q=a%20b%26c%3Ds3cret&tag=x&tag=y%2Fz&n%20m=',
    );
  });

  it('goes behind what the URL asks already, and before nothing else', () => {
    const url = '${TARGET_URL}/x?a=1#part';
    expect(buildRequest(template({ url, query: { b: '2' } }), scopeOf()).url).toBe('http://target/x?a=1&b=2');
  });
});

it('a form is sent as such', () => {
  const { body, headers } = buildRequest(template({ form: { 'a b': '${TARGET_TOKEN}&', c: 'é' } }), scopeOf());
  expect(body).toBe('a+b=s3cret%26&c=%C3%A9');
  expect(headers['content-type']).toBe('application/x-www-form-urlencoded');
});

describe('auth', () => {
  it('basic is user and password in base64 of UTF-8', () => {
    const auth = { basic: { username: 'jürgen', password: '${TARGET_TOKEN}:x' } };
    const { headers } = buildRequest(template({ auth }), scopeOf());
    expect(headers['authorization']).toBe(`Basic ${Buffer.from('jürgen:s3cret:x').toString('base64')}`);
  });

  it('bearer is the token', () => {
    const { headers } = buildRequest(template({ auth: { bearer: '${TARGET_TOKEN}' } }), scopeOf());
    expect(headers['authorization']).toBe('Bearer s3cret');
  });

  it.for<[string, Partial<RequestTemplate>, Record<string, string>]>([
    ['a user name with a colon', { auth: { basic: { username: 'a:b', password: 'c' } } }, {}],
    ['a token with a line break', { auth: { bearer: '${TARGET_TOKEN}' } }, { TARGET_TOKEN: 'a\r\nX-Evil: 1' }],
    ['a header with a line break', { headers: { 'x-a': '${TARGET_TOKEN}' } }, { TARGET_TOKEN: 'a\nX-Evil: 1' }],
    ['a header name that is none', { headers: { 'x a': '1' } }, {}],
    ['a password in the URL', {}, { TARGET_URL: 'http://user:hidden@target' }],
    ['a variable without a value', { query: { a: '${NONE}' } }, {}],
    ['a URL of another scheme', { url: '${TARGET_URL}' }, { TARGET_URL: 'file:///etc/passwd' }],
  ])('refused without telling the value: %s', ([, parts, values]) => {
    const refused = () => buildRequest(template(parts), scopeOf(values));
    expect(refused).toThrow(TemplateError);
    expect(refused).not.toThrow(/Evil|hidden|passwd/);
  });
});

describe('a target of a fan-out', () => {
  const target = { id: 'a/b', count: 3, isNew: true, tags: ['x'], nothing: null, url: 'http://other:1/' };

  it('fills in URL, query and headers as text, and keeps its type in a body', () => {
    const request = buildRequest(
      template({
        url: '${TARGET_URL}/${target.id}',
        query: { n: '${target.count}' },
        headers: { 'x-new': '${target.isNew}' },
        body: {
          all: '${target}',
          count: '${target.count}',
          isNew: '${target.isNew}',
          tags: ['${target.tags}'],
          text: 'is ${target.isNew}',
        },
      }),
      scopeOf({}, target),
    );
    expect(request.url).toBe('http://target/a%2Fb?n=3');
    expect(request.headers['x-new']).toBe('true');
    expect(JSON.parse(request.body ?? '')).toEqual({
      all: target,
      count: 3,
      isNew: true,
      tags: [['x']],
      text: 'is true',
    });
  });

  it('may be a text, and may give the address itself', () => {
    expect(buildRequest(template({ url: '${target}/y' }), scopeOf({}, 'http://one/')).url).toBe('http://one/y');
    expect(buildRequest(template({ url: '${target.url}/y' }), scopeOf({}, target)).url).toBe('http://other:1/y');
  });

  it.for(['${target.none}', '${target.nothing}', '${target.toString}', '${target.tags.length}'])(
    'a field that it does not have is told: %s',
    (text) => {
      expect(() => buildRequest(template({ query: { a: text } }), scopeOf({}, target))).toThrow(
        `\`${text}\` has no value`,
      );
    },
  );
});

it('the names of certificate files are filled in', () => {
  const tls = { ca: '/etc/${TARGET_TOKEN}.pem', cert: 'c.pem' };
  expect(renderTlsFiles(template({ tls }), scopeOf())).toEqual({ ca: '/etc/s3cret.pem', cert: 'c.pem' });
  expect(renderTlsFiles(template(), scopeOf())).toEqual({});
});

describe('a poll', () => {
  const polled = template({
    headers: {
      ...{ 'X-Tenant': 'blue', Cookie: 'session=1', 'X-Token': 'key ${TARGET_TOKEN}', 'Content-Type': 'text/csv' },
      ...{ 'X-Copy': 'key s3cret', 'Idempotency-Key': 'mine' },
    },
    auth: { basic: { username: 'u', password: '${TARGET_TOKEN}' } },
    query: { a: '1' },
    body: 'work',
  });

  it('is a GET with the headers of the request but those about its body', () => {
    const { method, url, headers, body } = buildPollRequest(polled, scopeOf(), 'http://target/ops/7?x=1');
    expect({ method, url, body }).toEqual({ method: 'GET', url: 'http://target/ops/7?x=1', body: undefined });
    expect(headers).toMatchObject({ 'x-tenant': 'blue', cookie: 'session=1', 'x-token': 'key s3cret' });
    expect(headers['authorization']).toBe(`Basic ${Buffer.from('u:s3cret').toString('base64')}`);
    expect(Object.keys(headers)).not.toContain('content-type');
    expect(Object.keys(headers)).not.toContain('idempotency-key');
    expect(headers['traceparent']).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it('a relative address is read against that of the request', () => {
    expect(buildPollRequest(polled, scopeOf(), '../ops/7').url).toBe('http://target/ops/7');
    expect(buildPollRequest(polled, scopeOf(), '//elsewhere/7').url).toBe('http://elsewhere/7');
  });

  it.for(['http://other/ops/7', 'https://target/ops/7', 'http://target:8080/ops/7', 'http://target.evil/ops/7'])(
    'nothing that identifies us goes to %s, which is another origin',
    (url) => {
      const { headers } = buildPollRequest(polled, scopeOf(), url);
      expect(Object.keys(headers).sort()).toEqual(['accept', 'traceparent', 'user-agent', 'x-tenant']);
      expect(JSON.stringify(headers)).not.toContain('s3cret');
    },
  );

  it.for(['ftp://target/x', 'javascript:alert(1)', 'http://user:pw@target/x', 'http://'])('refuses %s', (url) => {
    expect(() => buildPollRequest(polled, scopeOf(), url)).toThrow(TemplateError);
  });
});
