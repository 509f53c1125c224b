import { beforeAll, describe, expect, test } from 'vitest';
import { prepareSql } from '../../compiler/sql.ts';
import { change, compileGood, listProblems, sample } from './sample.ts';
import { watchdogSample } from './watchdog-sample.ts';

/** The sample with a key more in its request, at line 14. */
const req = (line: string): string => change('    headers:', `    ${line}\n    headers:`);
const noAuth = change('    headers: { Authorization: "Bearer ${HUB_TOKEN}" }\n', '');
const rq = (line: string): string => change('    body:', `    ${line}\n    body:`, noAuth);

beforeAll(prepareSql);

function readRequest(text: string): unknown {
  const { order } = compileGood(text);
  return order.kind === 'watchdog' ? undefined : order.sweep.request;
}

test('what is not stated is absent, so that no contract changes by a key that it does not use', () => {
  expect(Object.keys(readRequest(sample) as object)).toEqual(['method', 'url', 'headers', 'body']);
});

test('query, credentials, certificates and expectations are compiled with their placeholders', () => {
  const lines = [
    'query: { since: "${run.scheduled_at}", tag: [a, "${HUB_URL}"] }',
    'auth: { basic: { username: "${HUB_URL}", password: "${HUB_TOKEN}" } }',
    'form: { part: "7", token: "${HUB_TOKEN}" }',
    'tls: { ca: /etc/ca.pem, cert: "${HUB_URL}.pem", key: /etc/key.pem }',
    'expect: { status: [200, 2xx, 400-404, "404"], condition: body.ok == true }',
  ];
  const bare = change('    body: { max_seconds: "${budget.max_seconds}" }\n', '', noAuth);
  expect(readRequest(change('  outcome:', `    ${lines.join('\n    ')}\n  outcome:`, bare))).toEqual({
    method: 'POST',
    url: '${HUB_URL}/sweep',
    headers: {},
    query: { since: '${run.scheduled_at}', tag: ['a', '${HUB_URL}'] },
    auth: { basic: { username: '${HUB_URL}', password: '${HUB_TOKEN}' } },
    form: { part: '7', token: '${HUB_TOKEN}' },
    tls: { ca: '/etc/ca.pem', cert: '${HUB_URL}.pem', key: '/etc/key.pem' },
    expect: {
      status: [
        { from: 200, to: 200 },
        { from: 200, to: 299 },
        { from: 400, to: 404 },
        { from: 404, to: 404 },
      ],
      condition: 'body.ok == true',
    },
  });
  expect(readRequest(rq('auth: { bearer: "${HUB_TOKEN}" }'))).toMatchObject({ auth: { bearer: '${HUB_TOKEN}' } });
});

test('the request of a remedy has the same keys', () => {
  const text = change(
    '            headers: { Authorization: "Bearer ${HUB_TOKEN}" }',
    '            auth: { bearer: "${HUB_TOKEN}" }\n            query: { row: "${finding.id}" }',
    watchdogSample,
  );
  const { order } = compileGood(text);
  const remedies = order.kind === 'watchdog' ? order.watchdog.checks.map(({ remedy }) => remedy) : [];
  expect(remedies[1]).toMatchObject({
    request: { auth: { bearer: '${HUB_TOKEN}' }, query: { row: '${finding.id}' } },
  });
  expect(listProblems(change('query: { row: "${finding.id}"', 'query: { row: "${HUB_TOKEN}"', text))).toHaveLength(1);
});

const table: [text: string, problems: string[]][] = [
  [req('query: [a]'), ['a.md:14:12: `sweep.request.query` is a list; expected a mapping from name to text']],
  [
    req('query: { a: 1 }'),
    ['a.md:14:17: `sweep.request.query.a` is 1; expected text or a list of texts; put quotes around it'],
  ],
  [req('query: { a: [x, 1] }'), ['a.md:14:21: `sweep.request.query.a[1]` is 1; expected text; put quotes around it']],
  [
    req('query: { a: "x${HUB_TOKEN}" }'),
    [
      'a.md:14:19: the secret `${HUB_TOKEN}` cannot stand in the query, which is a part of the URL and logged on its way -> send it in a header',
    ],
  ],
  [
    req('query: { a: [x, "${HUB_TOKEN}"] }'),
    [
      'a.md:14:22: the secret `${HUB_TOKEN}` cannot stand in the query, which is a part of the URL and logged on its way -> send it in a header',
    ],
  ],
  [
    req('query: { a: "${HUB_URI}" }'),
    ['a.md:14:18: `${HUB_URI}` is not declared; add it to env: or secrets: -> did you mean `HUB_URL`?'],
  ],
  [req('query: { "a${HUB_URL}": b }'), ['a.md:14:14: a key cannot hold a placeholder; only values are rendered']],
  [req('form: { a: b }'), ['a.md:14:5: a request sends `form` or `body`, and here are both -> keep one']],
  [
    change('method: POST', 'method: GET', change('body: { max_seconds: "${budget.max_seconds}" }', 'form: { a: b }')),
    ['a.md:15:5: a GET request has no body -> use POST, or leave `form` out'],
  ],
  [
    change('body: { max_seconds: "${budget.max_seconds}" }', 'form: { a: 1 }'),
    ['a.md:15:16: `sweep.request.form.a` is 1; expected text; put quotes around it'],
  ],
  [
    change('body: { max_seconds: "${budget.max_seconds}" }', 'form: { a: "${HUB}" }'),
    ['a.md:15:17: `${HUB}` is not declared; add it to env: or secrets: -> declared: HUB_URL, HUB_TOKEN'],
  ],
  [
    req('auth: { bearer: "${HUB_TOKEN}" }'),
    ['a.md:15:16: `auth` makes the header `Authorization`, which is here too -> keep one of the two'],
  ],
  [
    rq('auth: { bearer: "${HUB_TOKEN}", basic: { username: a, password: "${HUB_TOKEN}" } }'),
    ['a.md:14:13: `auth` has both `basic` and `bearer` -> keep one'],
  ],
  [rq('auth: {}'), ['a.md:14:11: `auth` says nothing; expected `bearer` or `basic`']],
  [
    rq('auth: "${HUB_TOKEN}"'),
    [
      'a.md:14:11: `sweep.request.auth` is `${HUB_TOKEN}`; expected { bearer: "${TOKEN}" } or { basic: { username, password } }',
    ],
  ],
  [
    rq('auth: { baerer: "${HUB_TOKEN}" }'),
    ['a.md:14:13: unknown key `baerer` in `sweep.request.auth` -> did you mean `bearer`?'],
  ],
  [
    rq('auth: { basic: { username: a } }'),
    ['a.md:14:13: `sweep.request.auth.basic.password` is missing -> expected text; put quotes around it'],
  ],
  [
    rq('auth: { basic: { username: "a:b", password: "${HUB_TOKEN}" } }'),
    ['a.md:14:34: a user name cannot hold a colon, which ends it on its way'],
  ],
  [
    rq('auth: { basic: { username: a, password: hunter2 } }'),
    [
      'a.md:14:45: warning: `password` holds no secret, so it is shown and stored as it is -> name a variable in `secrets:` and write `${NAME}`',
    ],
  ],
  [
    rq('auth: { bearer: "${HUB_URL}" }'),
    [
      'a.md:14:21: warning: `bearer` holds no secret, so it is shown and stored as it is -> name a variable in `secrets:` and write `${NAME}`',
    ],
  ],
  [
    rq('auth: { bearer: "${HUB_TOKEN}\\r\\nX: 1" }'),
    ['a.md:14:21: `bearer` holds a line break or a character outside Latin-1'],
  ],
  [
    rq('auth: { bearer: "${HUB_TOKE}" }'),
    ['a.md:14:22: `${HUB_TOKE}` is not declared; add it to env: or secrets: -> did you mean `HUB_TOKEN`?'],
  ],
  [
    rq('auth: { bearer: "" }'),
    ['a.md:14:21: `sweep.request.auth.bearer` is empty text; expected a token such as ${TOKEN}'],
  ],
  [req('tls: { cert: /a.pem }'), ['a.md:14:12: `cert` is here without `key` -> a client certificate takes both files']],
  [
    req('tls: { ca: /ca.pem, key: /a.pem }'),
    ['a.md:14:25: `key` is here without `cert` -> a client certificate takes both files'],
  ],
  [req('tls: {}'), ['a.md:14:10: `tls` says nothing; expected `ca`, or `cert` and `key`']],
  [req('tls: { ca: 1 }'), ['a.md:14:16: `sweep.request.tls.ca` is 1; expected the name of a PEM file on the worker']],
  [
    req('tls: { ca: "${CA_FILE}/a" }'),
    ['a.md:14:17: `${CA_FILE}` is not declared; add it to env: or secrets: -> declared: HUB_URL, HUB_TOKEN'],
  ],
  [
    change('${HUB_URL}/sweep', 'http://hub/sweep', req('tls: { ca: /ca.pem }')),
    ['a.md:14:5: warning: the URL is http://, so none of these files is ever used -> write https://'],
  ],
  [req('expect: {}'), ['a.md:14:13: `expect` says nothing; expected `status` or `condition`']],
  [
    req('expect: { status: 200 }'),
    [
      'a.md:14:23: `sweep.request.expect.status` is 200; expected a list of statuses such as [200, 204, "2xx", "400-404"]',
    ],
  ],
  [
    req('expect: { status: [] }'),
    [
      'a.md:14:23: `sweep.request.expect.status` is a list; expected a list of statuses such as [200, 204, "2xx", "400-404"]',
    ],
  ],
  [
    req('expect: { status: [200, 700] }'),
    ['a.md:14:29: `sweep.request.expect.status[1]` is 700; expected a status such as 204, "2xx" or "200-299"'],
  ],
  [
    req('expect: { status: [6xx] }'),
    ['a.md:14:24: `sweep.request.expect.status[0]` is `6xx`; expected a status such as 204, "2xx" or "200-299"'],
  ],
  [
    req('expect: { status: ["299-200"] }'),
    ['a.md:14:24: `sweep.request.expect.status[0]` is `299-200`; expected a status such as 204, "2xx" or "200-299"'],
  ],
  [req('expect: { condition: status + 1 }'), ['a.md:14:26: the expression gives int; expected bool']],
  [req('expect: { condition: "bdy.ok" }'), ['a.md:14:27: unknown name `bdy` -> did you mean `body`?']],
];

describe('what is wrong with a request is told at its place', () => {
  test.each(table.map(([text, problems]) => ({ text, problems, first: problems[0] })))(
    '$first',
    ({ text, problems }) => {
      expect(listProblems(text)).toEqual(problems);
    },
  );
});
