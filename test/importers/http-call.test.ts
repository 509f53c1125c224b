import { expect, it } from 'vitest';
import { translateCommand } from '../../importers/http-call.ts';
import { readPlainCommand } from '../../importers/plain-command.ts';

const translate = (line: string) => translateCommand(readPlainCommand({ line, isShell: true }), 'JOB');

it.each<[string, object]>([
  ['curl https://a.example/x', { request: { method: 'GET', url: 'https://a.example/x' } }],
  ['/usr/bin/curl -sSf a.example/x', { request: { method: 'GET', url: 'http://a.example/x' } }],
  ['curl -XPUT -m5 --retry 3 https://a.example/', { request: { method: 'PUT' }, maxSeconds: 5, attempts: 4 }],
  [
    'curl -d a=1 -d b=two%20words https://a.example/',
    { request: { method: 'POST', form: { a: '1', b: 'two words' } } },
  ],
  [
    `curl -H 'Content-Type: application/json' -d '{"n": 1, "list": ["x"]}' https://a.example/`,
    { request: { method: 'POST', body: { n: 1, list: ['x'] }, url: 'https://a.example/' } },
  ],
  [
    `curl -d '{"id": 12345678901234567890}' -H 'Content-Type: application/json' https://a.example/`,
    { request: { headers: { 'Content-Type': 'application/json' }, body: '{"id": 12345678901234567890}' } },
  ],
  [
    'curl -G -d a=1 --data-urlencode "q=x y" https://a.example/',
    { request: { method: 'GET', query: { a: '1', q: 'x y' } } },
  ],
  [
    'curl -u me:hunter2 https://a.example/',
    { request: { auth: { basic: { username: 'me', password: '${JOB_PASSWORD}' } } }, secrets: ['JOB_PASSWORD'] },
  ],
  [
    'curl https://me:hunter2@a.example/x',
    { request: { url: 'https://a.example/x', auth: { basic: { username: 'me', password: '${JOB_PASSWORD}' } } } },
  ],
  [
    `curl -H "Authorization: Bearer abc" -H 'X-Api-Key: 1' -H 'Accept: text/plain' https://a.example/`,
    {
      request: {
        headers: { Authorization: 'Bearer ${JOB_TOKEN}', 'X-Api-Key': '${JOB_X_API_KEY}', Accept: 'text/plain' },
      },
      secrets: ['JOB_TOKEN', 'JOB_X_API_KEY'],
    },
  ],
  [
    'curl -H "Authorization: Bearer $HUB_TOKEN" "${HUB_URL}/sweep"',
    { request: { url: '${HUB_URL}/sweep' }, env: ['HUB_URL'], secrets: ['HUB_TOKEN'] },
  ],
  ['timeout -k 5 2m nice -n 10 curl https://a.example/', { maxSeconds: 120 }],
  [
    'flock -n /tmp/l sh -c "curl -fsS \'https://a.example/?a=b\' > /dev/null"',
    { request: { url: 'https://a.example/?a=b' } },
  ],
  ['curl https://a.example/ >/dev/null 2>&1 || true', { request: { url: 'https://a.example/' } }],
  ['curl https://a.example/ &>> /var/log/x', { request: { url: 'https://a.example/' } }],
  [
    'wget -qO- --post-data=a=1 -T 9 http://a.example/x',
    { request: { method: 'POST', form: { a: '1' } }, maxSeconds: 9 },
  ],
  ['busybox wget -q -O /dev/null http://a.example/x', { request: { method: 'GET', url: 'http://a.example/x' } }],
  ['curl --cacert /etc/ca.pem https://a.example/', { request: { tls: { ca: '/etc/ca.pem' } } }],
  ["curl -d 'text=${not} a variable' https://a.example/", { request: { form: { text: '$${not} a variable' } } }],
])('%s', (line, expected) => {
  expect(translate(line)).toMatchObject(expected);
});

it.each([
  ['/opt/backup.sh', /^it calls no HTTP API$/],
  ['curl https://a.example/ | jq .', /^it is a pipe$/],
  ['cd /x && curl https://a.example/', /^it is several commands$/],
  ['curl "https://a.example/$(date +%F)"', /^it holds the output of another command$/],
  ['curl https://a.example/?token=abc', /a credential stands in its URL \(`token`\)/],
  ['curl https://hooks.slack.com/services/T0/B0/abc', /a credential stands in its URL/],
  ['curl "https://a.example/$API_TOKEN"', /a credential stands in its URL/],
  ['curl -k https://a.example/', /does not verify the certificate/],
  ['curl -T file https://a.example/', /`curl` has `-T`/],
  ['curl -F a=@b https://a.example/', /`curl` has `-F`/],
  ['curl -d @body.json https://a.example/', /sends a file/],
  ['curl -I https://a.example/', /no HEAD/],
  ['curl -X PURGE https://a.example/', /its method is PURGE/],
  ['curl -X GET -d a=1 https://a.example/', /sends a body with GET/],
  ['curl https://a.example/ https://b.example/', /several URLs/],
  ['curl', /names no URL/],
  ['TOKEN=x curl https://a.example/', /sets a variable/],
  ['curl "https://a.example/', /a `"` is not closed/],
  ['curl $url', /`url` is not in capitals/],
  ['', /names no program/],
])('%s is not taken for a request, and it is said why', (line, says) => {
  const call = translate(line);
  expect('reason' in call ? call.reason : call).toMatch(says);
});

it('what comes on standard input is not lost', () => {
  expect(readPlainCommand({ line: 'curl https://a.example/', isShell: true, stdin: 'x' })).toEqual({
    reason: 'it gets lines on its standard input',
  });
});
