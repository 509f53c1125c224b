import { beforeAll, describe, expect, test } from 'vitest';
import { prepareCompiler } from '../../compiler/compile-files.ts';
import { change as changeText, compileGood, listProblems } from './sample.ts';
import { watchdogSample } from './watchdog-sample.ts';

beforeAll(() => prepareCompiler([{ file: 'a.md', text: watchdogSample }]));

const change = (from: string, to: string, text = watchdogSample): string => changeText(from, to, text);

test('a watchdog compiles to its plan: SQL with numbered parameters, defaults filled in', () => {
  const { order } = compileGood(watchdogSample);
  expect(order.kind).toBe('watchdog');
  expect(order).not.toHaveProperty('sweep');
  expect(order).toMatchObject({
    definition: { kind: 'watchdog' },
    watchdog: {
      ...{ database: ['MAIN_DSN', 'SPARE_DSN'], destructiveOk: false, maxActions: 20 },
      checks: [
        {
          ...{ name: 'stale-plans', action: 'mark as stale', mode: 'auto', key: ['id'], limit: 1_000, batch: false },
          params: { max_age: '3 days', statuses: ['open', 'ready'] },
          destructive: false,
          detect: {
            text: 'select id, status, updated_at as age\nfrom plans\nwhere updated_at < now() - $1::interval and status = any($2)',
            parameters: ['max_age', 'statuses'],
          },
          ...{ maxRows: 1, cooldownMs: 0, quarantineAfter: 5 },
          remedy: {
            sql: {
              text: "update plans set status = 'stale' where id = $1\nRETURNING *",
              parameters: ['id'],
              returnsRows: true,
            },
          },
          audit: { parameters: ['run_id', 'before', 'after'] },
        },
        {
          ...{ name: 'lost-rows', mode: 'dry_run', key: ['id', 'kind'], limit: 50, params: {}, cooldownMs: 300_000 },
          remedy: { request: { method: 'POST', url: '${HUB_URL}/rows/${finding.id}' } },
        },
      ],
    },
  });
});

test('the contract of a watchdog changes with its SQL and not with its prose', () => {
  const { contractHash, revision } = compileGood(watchdogSample).order;
  const prose = compileGood(change('nobody touched it', 'it was left alone')).order;
  const sql = compileGood(change("'stale' where", "'old' where")).order;
  expect([prose.contractHash === contractHash, prose.revision === revision]).toEqual([true, false]);
  expect(sql.contractHash).not.toBe(contractHash);
});

test('a check of CRLF lines is the same check', () => {
  const { contractHash, revision } = compileGood(watchdogSample).order;
  const other = compileGood(watchdogSample.replaceAll('\n', '\r\n')).order;
  expect([other.contractHash, other.revision]).toEqual([contractHash, revision]);
});

describe('what does not fit together is told at its place', () => {
  test.each([
    [
      'SQL that does not parse',
      'from plans\nwhere',
      'fro plans\nwhere',
      'a.md:38:1: unreadable SQL: syntax error at or near "fro"',
    ],
    [
      'at the end of it',
      "'stale' where id = :id",
      "'stale' where id =",
      'a.md:43:45: unreadable SQL: syntax error at end of input',
    ],
    [
      'behind a parameter',
      'any(:statuses)',
      'any(:statuses))',
      'a.md:39:74: unreadable SQL: syntax error at or near ")"',
    ],
    [
      'behind a character of two units',
      "set status = 'stale'",
      "set status = '💥' wher",
      'a.md:43:32: unreadable SQL: syntax error at or near "wher"',
    ],
    [
      'in CRLF lines',
      'from plans\nwhere',
      'fro plans\r\nwhere',
      'a.md:38:1: unreadable SQL: syntax error at or near "fro"',
    ],
    ['two statements', 'where id = :id', 'where id = :id; select 1', 'a.md:43:1: expected one statement, here are 2'],
    [
      'no statement',
      "update plans set status = 'stale' where id = :id",
      '-- :id later',
      'a.md:43:1: there is no SQL here',
    ],
    [
      'another number',
      'where id = :id',
      'where id = $1',
      'a.md:43:46: `$1` cannot be told apart from the parameters that are put in -> write `:name`',
    ],
    [
      'a parameter without a value',
      ':max_age::',
      ':max_aeg::',
      'a.md:39:28: `:max_aeg` has no value -> did you mean `max_age`?',
    ],
    ['a remedy’s too', 'id = :id', 'id = :idd', 'a.md:43:46: `:idd` has no value -> did you mean `id`?'],
    ['an audit’s too', ':run_id,', ':runid,', 'a.md:47:59: `:runid` has no value -> did you mean `run_id`?'],
    [
      'a value without a parameter',
      '{ max_age: 3 days,',
      '{ max_age: 3 days, extra: 1,',
      'a.md:17:34: no statement of this check uses `:extra` -> remove it, or use it in the SQL',
    ],
    [
      'a parameter with the name of a column',
      'max_age: 3 days,',
      'max_age: 3 days, status: x,',
      'a.md:17:34: `status` is a column of the detect query too -> give the parameter or the column another name',
    ],
    [
      'a check without its section',
      '## stale-plans',
      '## Stale plans',
      'a.md:14:5: the check `stale-plans` has no section in the prose -> add a heading `## stale-plans` and under it a block ```sql detect',
    ],
    [
      'a request that would be simulated',
      'limit: 50',
      'mode: sim',
      'a.md:22:13: the mode is sim, and a request cannot be rolled back -> write `mode: dry_run`, or a remedy in SQL',
    ],
    [
      'a section without its check',
      '## On automation',
      '## lost-row\n```sql detect\nselect 1\n```\n## On automation',
      'a.md:60:1: `lost-row` holds SQL and there is no check of that name -> did you mean `lost-rows`?',
    ],
    [
      'a section twice',
      '## On automation',
      '## lost-rows\n## On automation',
      'a.md:60:1: the check `lost-rows` has a section already, at line 50',
    ],
    [
      'a section without detect',
      '```sql detect\nselect r',
      '```sql\nselect r',
      'a.md:50:1: the check `lost-rows` has no block ```sql detect -> it finds what is wrong: one row for each finding',
    ],
    [
      'two detects',
      '```sql\n-- for',
      '```sql detect\n-- for',
      'a.md:56:1: there is a block `sql detect` above already',
    ],
    [
      'a misspelled block',
      '```sql audit',
      '```sql audt',
      'a.md:46:1: `audt` is not a use of SQL here -> did you mean `audit`?',
    ],
    [
      'a detect that writes',
      'select r.id, r.kind from rows r',
      'delete from rows returning id, kind',
      'a.md:53:1: `sql detect` is one SELECT; this is DELETE',
    ],
    [
      'a detect that writes in its WITH',
      'select r.id,',
      'with x as (delete from rows) select r.id,',
      'a.md:53:1: a detect query changes nothing, and this one does in its WITH',
    ],
    [
      'a remedy that commits',
      "update plans set status = 'stale' where id = :id",
      'commit',
      'a.md:43:1: `sql remedy` is one SELECT, INSERT, UPDATE, DELETE or MERGE; this is TRANSACTION',
    ],
    [
      'a key that is no column',
      'key: id',
      'key: ids',
      'a.md:18:12: the detect query gives no column `ids` -> did you mean `id`?',
    ],
    [
      'an action that is missing',
      '      action: mark as stale\n',
      '',
      'a.md:14:5: a remedy needs `action`, which says what it does -> a few words such as `mark as stale`; they stand in the audit',
    ],
    [
      'two remedies',
      '```sql\n-- for a person: not run, may be anything :here',
      '```sql remedy\nupdate rows set id = 1 where id = :id',
      'a.md:23:7: this check has a remedy here and another in SQL in its section -> keep one',
    ],
    [
      'a finding’s column in a request',
      '${finding.id}',
      '${finding.idd}',
      'a.md:27:34: `${finding.idd}` is not a variable that a request can use -> did you mean `finding.id`?',
    ],
    [
      'a mode',
      'mode: auto',
      'mode: dryrun',
      'a.md:16:13: `watchdog.checks.stale-plans.mode` is `dryrun`; expected one of auto, dry_run, sim, block -> did you mean `dry_run`?',
    ],
    [
      'a key of a check',
      'limit: 50',
      'limits: 50',
      'a.md:22:7: unknown key `limits` in `watchdog.checks.lost-rows` -> did you mean `limit`?',
    ],
    [
      'no database',
      '[MAIN_DSN, SPARE_DSN]',
      '[]',
      'a.md:11:13: `watchdog.database` is a list; expected at least one variable that holds the address of the database',
    ],
  ])('%s', (_name, from, to, expected) => {
    expect(listProblems(change(from, to))[0]).toBe(expected);
  });

  test('a mode that acts needs something to do', () => {
    const text = change('```sql remedy', '```sql');
    expect(listProblems(text)).toEqual([
      'a.md:16:13: the mode is auto and there is no remedy -> add a block ```sql remedy or `remedy: { http: ... }`, or write `mode: dry_run`',
    ]);
  });

  test('the section of another kind is refused and the own one is missed', () => {
    expect(listProblems(change('kind: watchdog', 'kind: sweep'))).toEqual([
      'a.md:1:1: `sweep` is missing -> a sweep has a section `sweep:`',
      'a.md:10:1: the kind is sweep, so `watchdog` cannot stand here -> remove it, or write `kind: watchdog`',
    ]);
  });

  test('a block that is never closed', () => {
    const text = watchdogSample.slice(0, watchdogSample.indexOf('```sql\n-- for')) + '```sql audit\nselect 1\n';
    expect(listProblems(text)).toContain(
      'a.md:56:1: the block that opens here is never closed -> end it with a line ```',
    );
  });

  test('SQL in quotes, comments and dollars holds no parameters, and casts are none', () => {
    const quoted =
      "select r.id, r.kind from rows r -- :a\nwhere x = ':b' /* :c */ and y = $$ :d $$ and z = E'\\':e' and w::text = \":f\"";
    expect(listProblems(change('select r.id, r.kind from rows r', quoted))).toEqual([]);
  });

  test('columns that cannot be told are not checked', () => {
    expect(listProblems(change('select r.id, r.kind from rows r', 'select * from rows'))).toEqual([]);
  });

  test('a remedy that deletes is warned of until the check says whether it is destructive', () => {
    const deleting = change("update plans set status = 'stale' where id", 'delete from plans where id');
    const text = change(', :after::jsonb', '', change(', after)', ')', deleting));
    expect(listProblems(text)).toEqual([
      'a.md:14:5: warning: this remedy deletes rows and the check does not say whether it is destructive -> add `destructive: true` (or `false`, where what is deleted can be had again)',
    ]);
    expect(listProblems(change('mode: auto', 'mode: auto\n      destructive: true', text))).toEqual([]);
  });
});
