import { describe, expect, test } from 'vitest';
import { change, compile, listProblems, sample } from './sample.ts';

const keys =
  'id, uuid, title, owner, kind, enabled, schedule, misfire_policy, misfire_grace, budget, on_failure, retry, env, secrets, sources, cutover, labels, notify, retention, moved_from, sweep, watchdog';
const duration = 'expected a duration such as 30s, 5m, 1h30m';

/** What is changed in the sample, into what, and the one problem that has to come of it. */
const table: [from: string, to: string, problem: string][] = [
  [
    'kind: sweep',
    'kind: sweeps',
    'a.md:5:7: `kind` is `sweeps`; expected one of sweep, watchdog -> did you mean `sweep`?',
  ],
  ['kind: sweep', 'kind: sweep\nenabled: yes', 'a.md:6:10: `enabled` is `yes`; expected true or false -> write `true`'],
  ['kind: sweep', 'kind: sweep\nzebra: 1', `a.md:6:1: unknown key \`zebra\` -> allowed: ${keys}`],
  [
    'kind: sweep',
    'kind: sweep\n<<: { a: 1 }',
    'a.md:6:1: unknown key `<<` -> merge keys are not read; write the keys out',
  ],
  ['owner: team', 'owner:', 'a.md:4:1: `owner` is empty; expected one line of text, at most 100 characters'],
  ['owner: team', 'owner: [team]', 'a.md:4:8: `owner` is a list; expected one line of text, at most 100 characters'],
  ['owner: team', 'owner: 7', 'a.md:4:8: `owner` is 7; expected one line of text, at most 100 characters'],
  ['owner: team', 'owner: " "', 'a.md:4:8: `owner` is ` `; expected one line of text, at most 100 characters'],
  [
    'team.nightly-sweep',
    'Team.Nightly',
    'a.md:2:5: `id` is `Team.Nightly`; expected dotted kebab-case such as the-custodian.state-hub-sweep, at most 200 characters',
  ],
  [
    'owner: team',
    'owner: team\nuuid: 7c4e9a12',
    'a.md:5:7: `uuid` is `7c4e9a12`; expected a UUID such as 7c4e9a12-8f3b-4d5e-9c6a-1b2d3e4f5a6b',
  ],
  [
    'Nightly sweep',
    'a'.repeat(201),
    `a.md:3:8: \`title\` is \`${'a'.repeat(57)}...\`; expected one line of text, at most 200 characters`,
  ],
  [
    'Nightly sweep',
    '漢'.repeat(150),
    `a.md:3:8: \`title\` is \`${'漢'.repeat(57)}...\`; expected at most 400 bytes of UTF-8, which is what the server shows`,
  ],

  ['{ cron: "0 3 * * *" }', '{ cron: "0 25 * * *" }', 'a.md:6:22: hour 25 is out of range; allowed: 0-23'],
  [
    '{ cron: "0 3 * * *" }',
    '{ cron: 0 3 * * MOM }',
    'a.md:6:27: `MOM` is not a day-of-week; allowed: 0-7 or SUN-SAT -> did you mean `MON`?',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ cron: "0 0 3 * * *" }',
    'a.md:6:30: cron has five fields (minute hour day-of-month month day-of-week), here are 6 -> for seconds use `every:`, such as `{ every: 30s }`',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ cron: "@reboot" }',
    'a.md:6:20: `@reboot` is not a time -> a schedule belongs to the cluster and not to the start of a machine',
  ],
  ['{ cron: "0 3 * * *" }', '{ cron: "0 0 31 2 *" }', 'a.md:6:24: no month of `2` has a day 31, so this never fires'],
  [
    '{ cron: "0 3 * * *" }',
    '"0 3 * * *"',
    'a.md:6:11: `schedule` is `0 3 * * *`; expected a mapping such as { cron: "*/15 * * * *" } or { every: 30s }',
  ],
  ['{ cron: "0 3 * * *" }', '{ timezone: UTC }', 'a.md:6:11: the schedule says no time; expected `cron:` or `every:`'],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 1h, cron: "0 3 * * *" }',
    'a.md:6:13: the schedule has both `cron` and `every` -> keep one',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ crn: "0 3 * * *", every: 1h }',
    'a.md:6:13: unknown key `crn` in `schedule` -> did you mean `cron`?',
  ],
  ['{ cron: "0 3 * * *" }', '{ every: 30 }', `a.md:6:20: \`schedule.every\` is 30; ${duration} -> write 30s`],
  ['{ cron: "0 3 * * *" }', '{ every: 1h30x }', `a.md:6:22: \`1h30x\` is not a duration; ${duration}`],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 500ms }',
    'a.md:6:20: `500ms` is below a second; expected whole seconds such as 30s',
  ],
  ['{ cron: "0 3 * * *" }', '{ every: 0s }', 'a.md:6:20: `0s` is too short; at least 1s'],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 1h, timezone: Berlin }',
    'a.md:6:34: `Berlin` is not a time zone; expected an IANA name such as UTC or Europe/Berlin -> did you mean `Europe/Berlin`?',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 1h, timezone: europe/berlin }',
    'a.md:6:34: `europe/berlin` is not a time zone; expected an IANA name such as UTC or Europe/Berlin -> did you mean `Europe/Berlin`?',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 1h, timezone: "+02:00" }',
    'a.md:6:35: `+02:00` is not a time zone; expected an IANA name such as UTC or Europe/Berlin -> see the tz database',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ cron: "0 3 * * *", spread: 2m }',
    'a.md:6:40: `spread` is 2m; with cron it is at most 59s, because it moves the second only',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 10m, spread: 11m }',
    'a.md:6:33: `spread` is 11m, longer than the interval of 10m',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 1h, start: 2026-12-25, end: 2026-12-24 }',
    'a.md:6:48: `end` (2026-12-24) is before `start` (2026-12-25), so this never fires',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 1h, start: 2026-02-30 }',
    'a.md:6:31: `2026-02-30` is not a point in time; expected a date such as 2026-12-25 or an instant such as 2026-12-25T10:00:00Z',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 1h, end: 2026-12-25T10:00:00 }',
    'a.md:6:29: `2026-12-25T10:00:00` is not a point in time; expected a date such as 2026-12-25 or an instant such as 2026-12-25T10:00:00Z -> end it with Z or with an offset such as +02:00',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 1h, skip: [2026-13-01] }',
    'a.md:6:31: `2026-13-01` is not a date; expected a date such as 2026-12-25, or a cron text',
  ],
  [
    '{ cron: "0 3 * * *" }',
    '{ every: 1h, skip: ["0 3 * * 9"] }',
    'a.md:6:40: day-of-week 9 is out of range; allowed: 0-7 or SUN-SAT',
  ],

  [
    'owner: team',
    'owner: team\nmisfire_policy: skp',
    'a.md:5:17: `misfire_policy` is `skp`; expected one of skip, run_once -> did you mean `skip`?',
  ],
  [
    'owner: team',
    'owner: team\nmisfire_grace: 5s',
    'a.md:5:16: `5s` is too short; at least 10s: below that a healthy server can be late itself, and a good tick would count as a misfire',
  ],
  [
    'owner: team',
    'owner: team\non_failure: stop',
    'a.md:5:13: `on_failure` is `stop`; expected one of log_and_continue, fail, pause',
  ],
  [
    'owner: team',
    'owner: team\nretry: { attempts: 11 }',
    'a.md:5:20: `retry.attempts` is 11; expected a whole number from 1 to 10',
  ],
  [
    'owner: team',
    'owner: team\nretention: { runs: 13d }',
    'a.md:5:20: `retention.runs` is `13d`; expected a number of days such as 90d, from 14d to 3650d',
  ],
  [
    'owner: team',
    'owner: team\nretention: {}',
    'a.md:5:12: `retention` is a mapping; expected `runs`, `count` or both',
  ],
  [
    'owner: team',
    'owner: team\nlabels: { tier: 1 }',
    'a.md:5:17: `labels.tier` is 1; expected text; put quotes around it',
  ],
  [
    '{ max_seconds: 300 }',
    '{}',
    'a.md:7:1: `budget.max_seconds` is missing -> expected a whole number of seconds from 1 to 86400',
  ],
  [
    '{ max_seconds: 300 }',
    '{ max_seconds: 0 }',
    'a.md:7:24: `budget.max_seconds` is 0; expected a whole number of seconds from 1 to 86400',
  ],
  [
    '{ max_seconds: 300 }',
    '{ max_seconds: 1.5 }',
    'a.md:7:24: `budget.max_seconds` is 1.5; expected a whole number of seconds from 1 to 86400',
  ],
  [
    '{ max_seconds: 300 }',
    '{ max_seconds: "300" }',
    'a.md:7:24: `budget.max_seconds` is `300`; expected a whole number of seconds from 1 to 86400',
  ],
  [
    '{ max_seconds: 300 }',
    '{ max_seconds: 300, hard_timeout: 4m }',
    'a.md:7:43: `hard_timeout` is shorter than `max_seconds` (300s), so the target could never use its budget',
  ],

  ['env: [HUB_URL]', 'env: HUB_URL', 'a.md:8:6: `env` is `HUB_URL`; expected a list of variable names, at most 100'],
  [
    'env: [HUB_URL]',
    'env: [HUB_URL, hub]',
    'a.md:8:16: `hub` is not a variable name; allowed: A-Z, 0-9 and _, not beginning with a digit',
  ],
  [
    'env: [HUB_URL]',
    'env: [HUB_URL, A=1]',
    'a.md:8:16: `A=1` is not a variable name; allowed: A-Z, 0-9 and _, not beginning with a digit -> name the variable only; its value is set on the worker',
  ],
  ['env: [HUB_URL]', 'env: [HUB_URL, HUB_URL]', 'a.md:8:16: `HUB_URL` is here twice'],
  [
    'env: [HUB_URL]',
    'env: [HUB_URL, HUB_TOKEN]',
    'a.md:9:11: `HUB_TOKEN` is in env: and in secrets: -> keep it in secrets: if it must not be seen',
  ],
  [
    'kind: sweep',
    'kind: sweep\nsources: { activity-core: { every: 1h } }',
    'a.md:6:12: `activity-core` is this scheduler itself; use `schedule:`',
  ],
  [
    'kind: sweep',
    'kind: sweep\nsources: { Local_Timer: { every: 1h } }',
    'a.md:6:12: `Local_Timer` is not a source name; expected kebab-case such as local-timer',
  ],
  [
    'kind: sweep',
    'kind: sweep\nsources: { local-timer: { every: 1h, jitter: 1s } }',
    'a.md:6:38: unknown key `jitter` in `sources.local-timer` -> allowed: cron, every, timezone, start, end, skip, dst',
  ],
  [
    'kind: sweep',
    'kind: sweep\nsources: { local-timer: { cron: "0 3 * *" } }',
    'a.md:6:41: cron has five fields (minute hour day-of-month month day-of-week), here are 4',
  ],

  [
    'method: POST',
    'method: post',
    'a.md:12:13: `sweep.request.method` is `post`; expected one of GET, POST, PUT, PATCH, DELETE -> did you mean `POST`?',
  ],
  ['method: POST', 'method: GET', 'a.md:15:5: a GET request has no body -> use POST, or leave `body` out'],
  [
    '${HUB_URL}/sweep',
    '${HUB_ULR}/sweep',
    'a.md:13:10: `${HUB_ULR}` is not declared; add it to env: or secrets: -> did you mean `HUB_URL`?',
  ],
  [
    '${HUB_URL}/sweep',
    '${HUB_URL}/sweep/${FOO',
    'a.md:13:27: `${` is not closed -> close it with `}`, or write `$${` for the text `${`',
  ],
  [
    '${HUB_URL}/sweep',
    '${HUB_URL}/s?t=${HUB_TOKEN}',
    'a.md:13:25: the secret `${HUB_TOKEN}` cannot stand in the URL, which is logged on its way -> send it in a header',
  ],
  [
    '${HUB_URL}/sweep',
    'ftp://hub/sweep',
    'a.md:13:10: `ftp://hub/sweep` is not a URL; expected http://, https:// or a variable such as ${STATE_HUB_URL} at its start',
  ],
  [
    '${HUB_URL}/sweep',
    'https://me:pw@hub/sweep',
    'a.md:13:10: a URL cannot hold a user or a password, since it is logged on its way -> send an Authorization header',
  ],
  ['${HUB_URL}/sweep', '"http://hub/a b"', 'a.md:13:23: a URL has no blanks -> write `%20`'],
  ['${HUB_URL}/sweep', 'http://', 'a.md:13:10: `http://` is not a URL'],
  [
    'Authorization:',
    'Auth or:',
    "a.md:14:16: `Auth or` is not a header name; allowed: letters, digits and !#$%&'*+-.^_`|~",
  ],
  ['Authorization:', 'Content-Length:', 'a.md:14:16: the header `Content-Length` is set by the worker -> leave it out'],
  [
    '{ Authorization: "Bearer ${HUB_TOKEN}" }',
    '{ A: x, a: y }',
    'a.md:14:22: the header `a` is here twice; upper and lower case are the same',
  ],
  [
    '"Bearer ${HUB_TOKEN}"',
    '"a\\nb"',
    'a.md:14:31: the header `Authorization` holds a line break or a character outside Latin-1',
  ],
  [
    '"Bearer ${HUB_TOKEN}"',
    '"Bearer ${FOO}"',
    'a.md:14:39: `${FOO}` is not declared; add it to env: or secrets: -> declared: HUB_URL, HUB_TOKEN',
  ],
  [
    '"Bearer ${HUB_TOKEN}"',
    '5',
    'a.md:14:31: `sweep.request.headers.Authorization` is 5; expected text; put quotes around it',
  ],
  [
    '{ max_seconds: "${budget.max_seconds}" }',
    '{ a: [{ b: "${run.idd}" }] }',
    'a.md:15:23: `${run.idd}` is not a variable that a request can use -> did you mean `run.id`?',
  ],
  [
    '{ max_seconds: "${budget.max_seconds}" }',
    '{ "${run.id}": 1 }',
    'a.md:15:13: a key cannot hold a placeholder; only values are rendered',
  ],
  [
    '{ max_seconds: "${budget.max_seconds}" }',
    '{ n: 12345678901234567890 }',
    'a.md:15:16: the number `12345678901234567890` cannot be kept exactly -> quote it',
  ],
  [
    '{ max_seconds: "${budget.max_seconds}" }',
    '{ n: .nan }',
    'a.md:15:16: the number `.nan` cannot be kept exactly -> quote it',
  ],

  ['body.status == "lock_skipped"', 'boddy.status == "x"', 'a.md:17:19: unknown name `boddy` -> did you mean `body`?'],
  ['body.status == "lock_skipped"', 'body.status ==', 'a.md:17:33: unexpected end of the expression'],
  ['body.status == "lock_skipped"', 'status', 'a.md:17:19: the expression gives int; expected bool'],
  [
    'body.status == "lock_skipped"',
    "'true && nope'",
    'a.md:17:28: unknown name `nope` -> an expression can read status, headers, body',
  ],
  [
    'body.status == "lock_skipped"',
    '|\n      true &&\n      nope',
    'a.md:19:7: unknown name `nope` -> an expression can read status, headers, body',
  ],
  [
    'body.status == "lock_skipped"',
    '>-\n      true &&\n      nope',
    'a.md:19:7: unknown name `nope` -> an expression can read status, headers, body',
  ],
  [
    'body.status == "lock_skipped"',
    '"\\u0074rue && nope"',
    'a.md:17:19: unknown name `nope` -> an expression can read status, headers, body',
  ],
  [
    'assessment_failures: body.failures',
    'assessment_failures: status == 1',
    'a.md:18:26: the expression gives bool; expected list',
  ],
  [
    'assessment_failures: body.failures',
    'assessment_failure: body.failures',
    'a.md:18:5: unknown key `assessment_failure` in `sweep.outcome` -> did you mean `assessment_failures`?',
  ],
];

test.each(table)('%s as %s', (from, to, problem) => {
  expect(listProblems(change(from, to))).toEqual([problem]);
});

test('a mistyped key is one problem and the key that it should have been another', () => {
  expect(listProblems(change('owner: team', 'ownr: team'))).toEqual([
    'a.md:1:1: `owner` is missing -> expected one line of text, at most 100 characters',
    'a.md:4:1: unknown key `ownr` -> did you mean `owner`?',
  ]);
});

test('every problem of a file comes at once, from the top', () => {
  const text = [
    ['owner: team', 'owner: 7'],
    ['"0 3 * * *"', '"99 99 * * *"'],
    ['max_seconds: 300', 'max_seconds: 0'],
    ['${HUB_URL}', '${HUB}'],
    ['body.status', 'boddy.status'],
  ].reduce((changed, [from = '', to = '']) => change(from, to, changed), sample);
  const places = compile(text).problems.map(({ line, column }) => `${line}:${column}`);
  expect(places).toEqual(['4:8', '6:20', '6:23', '7:24', '13:10', '17:19']);
});

test('a problem names the path of its key', () => {
  const [problem] = compile(change('"Bearer ${HUB_TOKEN}"', '5')).problems;
  expect(problem?.path).toBe('sweep.request.headers.Authorization');
  expect(compile(change('env: [HUB_URL]', 'env: [HUB_URL, hub]')).problems[0]?.path).toBe('env[1]');
});

describe('YAML that cannot be read', () => {
  test.each([
    ['owner: team', 'owner: team\nowner: other', ['a.md:5:1: this key is here twice -> keep one of the two']],
    ['owner: team', '\towner: team', ['a.md:4:1: a tab cannot indent -> use spaces']],
    [
      'owner: team',
      'owner: @team',
      ['a.md:4:8: unreadable YAML: Plain value cannot start with reserved character @ -> put quotes around the value'],
    ],
    [
      'owner: team',
      'owner: !!js/function x',
      ['a.md:4:8: unreadable YAML: Unresolved tag: tag:yaml.org,2002:js/function'],
    ],
    [
      'owner: team',
      'owner: "\\uD800"',
      ['a.md:4:8: this text holds a NUL or half a character -> leave the escape out'],
    ],
    ['owner: team', 'owner: "\\0"', ['a.md:4:8: this text holds a NUL or half a character -> leave the escape out']],
    ['owner: team', 'owner: *team', ['a.md:4:8: there is no anchor `&team` above this alias']],
    ['owner: team', '? [owner]\n: team', ['a.md:4:3: a key must be text, not a list or a mapping']],
    ['owner: team', '__proto__: { a: 1 }', ['a.md:4:1: `__proto__` cannot be a key']],
    [
      'owner: team',
      'owner: a: b',
      [
        'a.md:4:8: unreadable YAML: Nested mappings are not allowed in compact mappings -> a value that holds `: ` needs quotes around it',
      ],
    ],
  ])('%s as %j', (from, to, problems) => {
    expect(listProblems(change(from, to))).toEqual(problems);
  });

  test.each([
    [9, /^a\.md:10:\d+: more than 50 aliases -> write the values out$/],
    [6, /^a\.md:1:1: the frontmatter cannot be read: Excessive alias count/],
  ])('a bomb of aliases, %i levels high, is refused and not expanded', (height, problem) => {
    const lines = Array.from({ length: height }, (_, level) => {
      const inner = level === 0 ? 'x' : `*a${level - 1}`;
      return `a${level}: &a${level} [${Array.from({ length: 9 }, () => inner).join(', ')}]`;
    });
    const [first, ...more] = listProblems(change('owner: team', lines.join('\n')));
    expect(first).toMatch(problem);
    expect(more).toEqual([]);
  });

  test('nesting without end is refused', () => {
    const nested = `{ max_seconds: ${'['.repeat(200)}${']'.repeat(200)} }`;
    expect(listProblems(change('{ max_seconds: 300 }', nested))).toEqual([
      expect.stringMatching(/^a\.md:7:\d+: the frontmatter is nested deeper than 32 levels$/),
    ]);
  });

  test('brackets that are left open are one problem, however many', () => {
    expect(listProblems(change('owner: team', `labels: ${'['.repeat(4)}`))).toEqual([
      expect.stringMatching(/^a\.md:5:1: unreadable YAML: Flow sequence/),
    ]);
    expect(listProblems(change('owner: team', `labels: ${'['.repeat(5_000)}`))).toEqual([
      expect.stringMatching(/^a\.md:\d+:\d+: the frontmatter is nested deeper than 32 levels$/),
    ]);
  });
});

test('an anchor and its alias are read', () => {
  const text = change('secrets: [HUB_TOKEN]', 'secrets: [&t HUB_TOKEN]\nlabels: { token: *t }');
  expect(compile(text).definitions[0]?.labels).toEqual({ token: 'HUB_TOKEN' });
});
