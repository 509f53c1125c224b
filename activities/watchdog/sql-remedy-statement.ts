import pg from 'pg';
import { rewriteSql } from '../../expressions/sql-lexemes.ts';
import type { SqlStatement } from '../../workflows/contract.ts';
import { bindParams, bindText } from './bound-text.ts';
import type { Finding, Treatment } from './finding.ts';
import { insertFrom, unfoldWith } from './sql-remedy-clauses.ts';
import { RemedyError } from './sql-remedy-error.ts';
import { sqlRemedyReasons as reasons } from './sql-remedy-reasons.ts';
import { asRelation, matchKey, row } from './sql-remedy-relation.ts';
import type { RemedyShape } from './sql-remedy-relation.ts';
import { castColumn, findParameters } from './sql-remedy-values.ts';
import type { Parameter } from './sql-remedy-values.ts';

/** A statement with the values that are bound to it. */
export interface BoundStatement {
  text: string;
  values: unknown[];
}

/** The findings of a batch, with what is bound for each. */
export interface Batch {
  treatment: Treatment;
  shape: RemedyShape;
  findings: readonly Finding[];
  decisions: readonly string[];
}

/**
 * All of a batch in one statement: `detect` for the findings asked for, their rows locked; the remedy, which reads them as
 * `findings`; the audit; and the rows `n` (from 1), `before`, `after`, `touched`. `isJoined` says whether the remedy's rows
 * are told apart by the key's columns; where it does not give those, `after` is null.
 */
export function writeBatch(batch: Batch, isJoined: boolean): BoundStatement {
  const { treatment, shape } = batch;
  const values = new ValueList();
  const { ctes, isRecursive, statement, verb } = unfoldWith(writeRemedy(batch, values));
  const returning = shape.remedy.returnsRows || verb === 'select' ? '' : '\nRETURNING 1 AS actcore_touched';
  const columns = [...shape.columns.keys()].map((name) => pg.escapeIdentifier(name)).join(', ');
  const parts = [
    `actcore_found AS MATERIALIZED (
      SELECT actcore_key.n AS actcore_n, pg_catalog.to_json(${row})::text AS actcore_before, ${row}.*
      FROM ${joinKeys(batch, values)} ${shape.lock.replace('SKIP', `OF ${row} SKIP`)})`,
    `findings AS (SELECT ${columns} FROM actcore_found)`,
    ...(ctes === '' ? [] : [ctes]),
    `actcore_remedy AS MATERIALIZED (${statement}${returning}\n)`,
    `actcore_actions AS MATERIALIZED (
      SELECT f.*, ${isJoined ? 'r.actcore_after' : 'NULL::text AS actcore_after'} FROM actcore_found AS f ${isJoined ? writeJoin(batch) : ''})`,
  ];
  if (treatment.check.audit) parts.push(`actcore_audit AS (${writeAudit(batch, treatment.check.audit, values)}\n)`);
  const text = `WITH ${isRecursive ? 'RECURSIVE ' : ''}${parts.join(',\n')}
    SELECT actcore_n AS n, actcore_before AS before, actcore_after AS after,
      (SELECT pg_catalog.count(*) FROM actcore_remedy) AS touched
    FROM actcore_actions`;
  return { text, values: values.all };
}

/** Which of the findings are there, as one row: `there`, their numbers as an array's text, and `xid`. */
export function writeRecheck(batch: Batch): BoundStatement {
  const values = new ValueList();
  const text = `SELECT pg_catalog.array_agg(actcore_key.n)::text AS there,
      pg_catalog.pg_current_xact_id_if_assigned()::text AS xid FROM ${joinKeys(batch, values)}`;
  return { text, values: values.all };
}

/** The values of a statement that is put together, numbered as they come. */
class ValueList {
  readonly all: unknown[] = [];

  add(value: unknown): string {
    return `$${this.all.push(value)}`;
  }
}

/** `detect`, fewer than all of its rows: those whose keys are asked for. */
function joinKeys({ treatment, shape, findings }: Batch, values: ValueList): string {
  const { check } = treatment;
  const params = bindParams(check).map((value) => values.add(value));
  const detect = rewriteSql(check.detect.text, ({ kind, text }) =>
    kind === 'position' ? params[Number(text.slice(1)) - 1] : undefined,
  );
  const keys = check.key.map((name) => values.add(findings.map(({ columns }) => columns.get(name) ?? null)));
  const names = keys.map((_, index) => `k${index}`);
  const match = matchKey(
    check.key,
    shape,
    names.map((name) => `actcore_key.${name}`),
  );
  const lists = keys.map((key) => `${key}::text[]`).join(', ');
  return `${asRelation(detect)} JOIN unnest(${lists}) WITH ORDINALITY AS actcore_key(${names.join(', ')}, n) ON ${match}`;
}

function writeRemedy({ treatment, shape }: Batch, values: ValueList): string {
  const { params } = treatment.check;
  const places = shape.remedy.parameters.map((name) => {
    if (!Object.hasOwn(params, name)) throw new RemedyError(reasons.columnInBatch(name));
    return values.add(bindText(params[name] ?? null));
  });
  return rewriteSql(shape.remedy.text, ({ kind, text }) =>
    kind === 'position' ? places[Number(text.slice(1)) - 1] : undefined,
  );
}

function writeJoin({ treatment, shape }: Batch): string {
  const { key, maxRows } = treatment.check;
  const columns = key.map((name) => pg.escapeIdentifier(name));
  const json = 'pg_catalog.to_json(actcore_remedy)::text';
  const after = maxRows === 1 ? json : `'[' || pg_catalog.string_agg(${json}, ',') || ']'`;
  const group = maxRows === 1 ? '' : `GROUP BY ${columns.join(', ')}`;
  const match = columns.map((column) =>
    shape.isComparable ? `r.${column} = f.${column}` : `r.${column}::text = f.${column}::text`,
  );
  return `LEFT JOIN (SELECT ${columns.join(', ')}, ${after} AS actcore_after FROM actcore_remedy ${group}) AS r ON ${match.join(' AND ')}`;
}

function writeAudit(batch: Batch, audit: SqlStatement, values: ValueList): string {
  const { treatment, shape } = batch;
  const parameters = findParameters('audit', treatment, shape);
  const lists: Record<string, string> = {};
  const relation = () => {
    const names = Object.keys(lists);
    if (names.length === 0) return 'actcore_actions';
    const given = Object.values(lists).map((list) => `${list}::text[]`);
    return `actcore_actions JOIN unnest(${given.join(', ')}) WITH ORDINALITY AS actcore_given(${names.join(', ')}, n) ON actcore_given.n = actcore_actions.actcore_n`;
  };
  const place = ({ source, type }: Parameter): string => {
    if (source.kind === 'constant') return `${values.add(source.value)}::${type}`;
    if (source.kind === 'column') return `(${castColumn(source.name, type, shape, 'actcore_actions')})`;
    if (source.name === 'before' || source.name === 'after') return `(actcore_actions.actcore_${source.name}::${type})`;
    const all = source.name === 'decision' ? batch.decisions : batch.findings.map(({ key }) => key);
    // The same decision for all of them, as it mostly is, is sent once.
    if (new Set(all).size === 1) return `${values.add(all[0])}::${type}`;
    lists[source.name] ??= values.add(all);
    return `(actcore_given.${source.name}::${type})`;
  };
  const places = parameters.map(place);
  const text = rewriteSql(audit.text, ({ kind, text: position }) =>
    kind === 'position' ? places[Number(position.slice(1)) - 1] : undefined,
  );
  const insert = insertFrom(text, relation());
  if (insert === undefined) throw new RemedyError(reasons.auditInBatch);
  return insert;
}
