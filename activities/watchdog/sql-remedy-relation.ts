import pg from 'pg';
import type { SqlStatement } from '../../workflows/contract.ts';
import { RemedyError, explainFault, readCode } from './sql-remedy-error.ts';
import { sqlRemedyReasons as reasons } from './sql-remedy-reasons.ts';

/** The statements of a check. */
export const blocks = ['detect', 'remedy', 'audit'] as const;
/** One of them. */
export type Block = (typeof blocks)[number];

/** What the database says of a check's statements: the types that it gives to what they take and to what they give. */
export interface RemedyShape {
  remedy: SqlStatement;
  /** The columns of a finding by name, each with its type as SQL. */
  columns: Map<string, string>;
  /** The types of the parameters, in their order. */
  types: Record<Block, string[]>;
  /** Whether the key's columns can be compared as what they are; else as text. */
  isComparable: boolean;
  /** The clause that locks a finding's rows; empty where they cannot be locked. */
  lock: string;
  /** Why the remedy acts on a finding, for its decision. */
  reason: string;
}

/** The relation that stands for what `detect` gives: no column of it has the same name, which would hide the row. */
export const row = 'actcore_row';

/** Writes of `detect` what comes after FROM. */
export function asRelation(detect: string): string {
  return `(${detect}\n) AS ${row}`;
}

/** Values as the texts that Postgres wrote. */
export const asWritten = { getTypeParser: () => (text: string) => text };

/** The condition that a row is the finding whose key is given, as expressions of type text or of the columns' own types. */
export function matchKey(key: readonly string[], shape: RemedyShape, values: readonly string[]): string {
  const terms = key.map((name, index) => {
    const column = `${row}.${pg.escapeIdentifier(name)}`;
    const value = values[index] ?? 'NULL';
    return shape.isComparable ? `${column} = ${value}::${keyType(shape, name)}` : `${column}::text = ${value}::text`;
  });
  return terms.join(' AND ');
}

/** @throws RemedyError where `detect` has no such column */
export function keyType(shape: RemedyShape, name: string): string {
  const type = shape.columns.get(name);
  if (type === undefined)
    throw new RemedyError(`the detect query gives no column \`${name}\`, which is part of the key`);
  return type;
}

/** An error of one block of the check; one of the connection stays what it is. */
export function breakDown(block: Block, error: unknown): unknown {
  if (readCode(error) === undefined) return error;
  return new RemedyError(reasons.broken(block, explainFault(error)), { cause: error });
}
