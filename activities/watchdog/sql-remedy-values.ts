import pg from 'pg';
import { auditParameters } from '../../workflows/contract.ts';
import type { JsonValue } from '../../workflows/contract.ts';
import { bindText } from './bound-text.ts';
import type { Treatment } from './finding.ts';
import { RemedyError } from './sql-remedy-error.ts';
import { sqlRemedyReasons as reasons } from './sql-remedy-reasons.ts';
import { row } from './sql-remedy-relation.ts';
import type { Block, RemedyShape } from './sql-remedy-relation.ts';

/** What differs from finding to finding and is no column of it. */
export const perFinding = ['finding_key', 'before', 'after', 'decision'] as const;
type PerFinding = (typeof perFinding)[number];

/** Where the value of a parameter comes from. */
export type Source =
  { kind: 'constant'; value: string | null } | { kind: 'column'; name: string } | { kind: 'action'; name: PerFinding };

/** A parameter of a block: its source, and the type that the database takes it for. */
export interface Parameter {
  source: Source;
  type: string;
}

/**
 * The parameters of a block in their order.
 *
 * @throws RemedyError where a name stands for nothing
 */
export function findParameters(block: Block, treatment: Treatment, shape: RemedyShape): Parameter[] {
  const { check } = treatment;
  const statement = { detect: check.detect, remedy: shape.remedy, audit: check.audit }[block];
  return (statement?.parameters ?? []).map((name, index) => {
    const source = findSource(block, name, treatment, shape.columns);
    if (source === undefined) throw new RemedyError(reasons.unknownName(block, name));
    return { source, type: shape.types[block][index] ?? 'text' };
  });
}

/**
 * What a name in a block stands for: in an audit first for what is known of the action, then for one of the params, then for
 * a column of the finding. Undefined where it stands for nothing.
 */
export function findSource(
  block: Block,
  name: string,
  treatment: Treatment,
  columns: ReadonlyMap<string, unknown>,
): Source | undefined {
  const { params } = treatment.check;
  const known = block === 'audit' ? findAuditSource(name, treatment) : undefined;
  if (known !== undefined) return known;
  if (Object.hasOwn(params, name)) return constant(params[name] ?? null);
  return block !== 'detect' && columns.has(name) ? { kind: 'column', name } : undefined;
}

function findAuditSource(name: string, { check, mode, runId, definitionId }: Treatment): Source | undefined {
  const known = auditParameters.find((parameter) => parameter === name);
  switch (known) {
    case undefined:
      return undefined;
    case 'run_id':
      return constant(runId);
    case 'definition_id':
      return constant(definitionId);
    case 'check_name':
      return constant(check.name);
    case 'action':
      return constant(check.action ?? check.name);
    case 'mode':
      return constant(mode);
    default:
      return { kind: 'action', name: known };
  }
}

function constant(value: JsonValue): Source {
  return { kind: 'constant', value: bindText(value) };
}

/** A column of a finding as a value of another type: by way of its text, which loses nothing or fails. */
export function castColumn(name: string, type: string, shape: RemedyShape, relation = row): string {
  const column = `${relation}.${pg.escapeIdentifier(name)}`;
  return shape.columns.get(name) === type ? column : `${column}::text::${type}`;
}
