import { expect, test } from 'vitest';
import { lexSql, rewriteSql } from '../../expressions/sql-lexemes.ts';

const namesIn = (sql: string) => [...lexSql(sql)].filter(({ kind }) => kind === 'name').map(({ text }) => text);

test.each([
  ['select :a, :b', ['a', 'b']],
  ["select ':a' || :b || E'it\\'s :c'", ['b']],
  [`select ":a" from t where x = :b`, ['b']],
  ['select 1 -- :a\n, :b', ['b']],
  ['select /* :a /* nested :b */ :c */ :d', ['d']],
  ['select $$ :a $$ || $t$ :b $$ :c $t$ || :d', ['d']],
  ['select :a::text, x::int', ['a']],
  [String.raw`select date'2026-01-01\' || :a`, ['a']],
  ['select a$x$ , :a, b$x$', ['a']],
  ['select f(a := :b)', ['b']],
])('in %s the parameters are %j', (sql, names) => {
  expect(namesIn(sql)).toEqual(names);
});

test.each([
  ['select $1 + $2', 'select <0> + <1>'],
  ['select \'$1\', "$1", $$ $1 $$, a$1, $1 -- $2', 'select \'$1\', "$1", $$ $1 $$, a$1, <0> -- $2'],
  ['select $1; -- done', 'select <0>'],
  ["select ';', $12 ; ", "select ';', <11> "],
])('%s becomes %s', (sql, written) => {
  const place = (text: string) => `<${Number(text.slice(1)) - 1}>`;
  expect(rewriteSql(sql, ({ kind, text }) => (kind === 'position' ? place(text) : undefined))).toBe(written);
});
