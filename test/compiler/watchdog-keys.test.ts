import { beforeAll, describe, expect, test } from 'vitest';
import { prepareCompiler } from '../../compiler/compile-files.ts';
import type { WatchdogCheck, WatchdogOrder } from '../../workflows/contract.ts';
import { change as changeText, compileGood, listProblems, sample } from './sample.ts';
import { fullWatchdogSample, watchdogSample } from './watchdog-sample.ts';

beforeAll(() => prepareCompiler([{ file: 'a.md', text: watchdogSample }]));

const change = (from: string, to: string, text = watchdogSample): string => changeText(from, to, text);
const remedy = "update plans set status = 'stale' where id = :id";

function compilePlan(text: string) {
  return (compileGood(text).order as WatchdogOrder).watchdog;
}

function compileCheck(text: string): WatchdogCheck {
  return compilePlan(text).checks[0]!;
}

/** The text that the first check's remedy is compiled to. */
function compileRemedy(sql: string, text = watchdogSample): string {
  const compiled = compileCheck(change(remedy, sql, text)).remedy;
  return compiled && 'sql' in compiled ? compiled.sql.text : '';
}

describe('an UPDATE or INSERT gives the rows that it wrote, also where it does not say so', () => {
  test.each([
    ['update plans set a = 1 where id = :id', 'update plans set a = 1 where id = $1\nRETURNING *'],
    ['update plans set a = 1 where id = :id;', 'update plans set a = 1 where id = $1\nRETURNING *;'],
    ['update plans set a = 1 where id = :id -- one', 'update plans set a = 1 where id = $1\nRETURNING * -- one'],
    [
      'update p set a = 1 where id = :id ; -- b\n/* c; */\n',
      'update p set a = 1 where id = $1\nRETURNING * ; -- b\n/* c; */\n',
    ],
    [
      "update p set a = '-- no' where id = :id and b = ';'",
      "update p set a = '-- no' where id = $1 and b = ';'\nRETURNING *",
    ],
    ['insert into p select :id::int /* x */', 'insert into p select $1::int\nRETURNING * /* x */'],
    [
      'insert into p values (:id) on conflict do nothing',
      'insert into p values ($1) on conflict do nothing\nRETURNING *',
    ],
    [
      'with x as (select 1) update p set a = 1 where id = :id',
      'with x as (select 1) update p set a = 1 where id = $1\nRETURNING *',
    ],
    [
      'update p as q set a = 1 from r where q.id = :id',
      'update p as q set a = 1 from r where q.id = $1\nRETURNING "q".*',
    ],
    [
      'update s."P" set a = 1 from r where r.id = :id',
      'update s."P" set a = 1 from r where r.id = $1\nRETURNING "P".*',
    ],
  ])('%j', (given, expected) => {
    expect(compileRemedy(given).trimEnd()).toBe(expected.trimEnd());
  });

  test.each([
    'update plans set a = 1 where id = :id returning id, a',
    'delete from plans where id = :id',
    'with gone as (delete from plans where id = :id returning *) select * from gone',
    'select pg_cancel_backend(:id::int)',
    'merge into plans using (select :id::int as id) x on plans.id = x.id when matched then update set a = 1',
  ])('and nothing is put behind %j', (given) => {
    expect(compileRemedy(given)).toBe(given.replace(':id', '$1'));
  });
});

test('a remedy for all findings reads them from the relation', () => {
  const sql = 'update plans p set a = :max_age from findings f where p.id = f.id';
  const text = change('mode: auto', 'mode: auto\n      batch: true');
  expect(compileCheck(change(remedy, sql, text))).toMatchObject({
    batch: true,
    remedy: { sql: { text: `${sql.replace(':max_age', '$1')}\nRETURNING "p".*`, parameters: ['max_age'] } },
  });
});

test('the other keys of a check stand in its plan, and change its contract', () => {
  const keys =
    'mode: auto\n      threshold: max_age\n      max_rows: 3\n      cooldown: 10m\n      quarantine_after: 2';
  const check = compileCheck(change('mode: auto', keys));
  expect(check).toMatchObject({ threshold: 'max_age', maxRows: 3, cooldownMs: 600_000, quarantineAfter: 2 });
  const plain = compileCheck(watchdogSample);
  expect(check.contractHash).not.toBe(plain.contractHash);
  expect(compileCheck(change('mode: auto', 'mode: dry_run')).contractHash).toBe(plain.contractHash);
});

test('a channel fires the watchdog, gathered for a second unless another time is said', () => {
  const listening = change('{ every: 5m }', '{ every: 5m, listen: plans_changed }');
  expect(compilePlan(listening).listen).toEqual({ channel: 'plans_changed', debounceMs: 1_000 });
  const slower = change('plans_changed', 'plans_changed, debounce: 250ms', listening);
  expect(compilePlan(slower).listen).toEqual({ channel: 'plans_changed', debounceMs: 250 });
  expect(compilePlan(watchdogSample)).not.toHaveProperty('listen');
  const [hash, cadence] = [compileGood(listening).order, compileGood(watchdogSample).order];
  expect(hash.cadence).toEqual(cadence.cadence);
  expect(hash.contractHash).not.toBe(cadence.contractHash);
  const cron = change('{ every: 5m }', '{ cron: "*/5 * * * *", listen: plans_changed }');
  expect(compilePlan(cron).listen?.channel).toBe('plans_changed');
});

test('a check may have all of the keys at once', () => {
  expect(listProblems(fullWatchdogSample)).toEqual([]);
});

const batch = change('mode: auto', 'mode: auto\n      batch: true');

describe('what does not fit together is told at its place', () => {
  test.each([
    [
      'a batch that does not read its findings',
      change(remedy, "update plans set status = 'stale' where updated_at < now()", batch),
      'a.md:44:1: with `batch: true` the remedy cures all findings at once, and this one does not read `findings` -> such as `update rows set ... from findings where rows.id = findings.id`',
    ],
    [
      'a batch that binds a column',
      change(remedy, 'update plans set a = 1 from findings where plans.id = :id', batch),
      'a.md:44:55: `:id` is of one finding, and with `batch: true` one statement cures them all -> read it from the relation: `findings.id`',
    ],
    [
      'an audit of a batch that is not one row',
      change(
        'values (:run_id, :before::jsonb, :after::jsonb)',
        'select :run_id, :before::jsonb, :after::jsonb',
        change(remedy, 'update plans set a = 1 from findings f where plans.id = f.id', batch),
      ),
      'a.md:48:1: with `batch: true` the audit is one INSERT INTO ... VALUES (...) of one row, without DEFAULT -> it is written for each finding, by one statement',
    ],
    [
      'a relation that is not there',
      change('where id = :id', 'from findings f where plans.id = f.id'),
      'a.md:43:1: the relation `findings` is there with `batch: true` only -> add it to the check; a table of yours that has this name is written with its schema',
    ],
    [
      'a threshold that is no parameter',
      change('mode: auto', 'mode: auto\n      threshold: max_agee'),
      'a.md:17:18: `threshold` names a parameter, and `max_agee` is none -> did you mean `max_age`?',
    ],
    [
      'an UPDATE of every row',
      change(' where id = :id', ''),
      'a.md:14:5: warning: the remedy of this check has no WHERE: it would touch every row of the table -> name the finding, such as `where id = :id`; more rows than `max_rows` are rolled back',
    ],
    [
      'a DELETE of every row inside a WITH',
      change(
        remedy,
        'with x as (delete from plans) select :id',
        change('mode: auto', 'mode: auto\n      destructive: true'),
      ),
      'a.md:14:5: warning: the remedy of this check has no WHERE: it would touch every row of the table -> name the finding, such as `where id = :id`; more rows than `max_rows` are rolled back',
    ],
    [
      'the after of a DELETE',
      change(remedy, 'delete from plans where id = :id', change('mode: auto', 'mode: auto\n      destructive: true')),
      'a.md:14:5: warning: a DELETE leaves nothing after it, and the audit of this check binds `:after`, which is always null -> leave `:after` out of the audit',
    ],
    [
      'a column that hides what the audit tells',
      change('status, updated_at as age', 'status, kind as before, updated_at as age'),
      'a.md:47:68: `:before` is what the audit tells of the action, and a column of the detect query too -> give the column another name there, such as `before as before_found`',
    ],
    [
      'a parameter that hides what the audit tells',
      change('max_age: 3 days', 'max_age: 3 days, run_id: x'),
      'a.md:47:59: `:run_id` is what the audit tells of the action, and one of the `params` too -> give the parameter another name',
    ],
    [
      'a detect that locks',
      change('select r.id, r.kind from rows r', 'select r.id, r.kind from rows r for update'),
      'a.md:53:1: a detect query runs in a read-only transaction and cannot lock -> leave FOR UPDATE out; before the remedy the row is locked for you',
    ],
    [
      'a batch of requests',
      change('limit: 50', 'batch: true'),
      'a.md:22:7: warning: `batch` has no effect without a remedy in SQL -> remove it',
    ],
    [
      'a key without a remedy',
      change(
        'mode: auto',
        'mode: dry_run\n      cooldown: 5m',
        change('      action: mark as stale\n', '', change('```sql remedy', '```sql')),
      ),
      'a.md:16:7: warning: `cooldown` has no effect without a remedy -> remove it',
    ],
    [
      'a channel that is none',
      change('{ every: 5m }', '{ every: 5m, listen: Plans }'),
      'a.md:6:32: `schedule.listen` is `Plans`; expected a channel such as ledger_changed: a-z, 0-9 and _, at most 63 characters',
    ],
    [
      'a channel of a sweep',
      change('{ cron: "0 3 * * *" }', '{ cron: "0 3 * * *", listen: plans }', sample),
      'a.md:6:32: the kind is sweep, and only a watchdog has a database to listen to -> remove it',
    ],
    [
      'a debounce of nothing',
      change('{ every: 5m }', '{ every: 5m, debounce: 2s }'),
      'a.md:6:24: warning: `debounce` has no effect without `listen` -> add `listen: CHANNEL`, or remove it',
    ],
    [
      'a channel of an outside source',
      change('watchdog:\n', 'sources: { timer: { every: 5m, listen: plans } }\nwatchdog:\n'),
      'a.md:10:32: unknown key `listen` in `sources.timer` -> allowed: cron, every, timezone, start, end, skip, dst',
    ],
  ])('%s', (_name, text, expected) => {
    expect(listProblems(text)).toEqual([expected]);
  });
});
