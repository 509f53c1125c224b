/** What can be told of a statement by a look at its tree. */
export interface StatementShape {
  /** The names of the columns it gives; undefined where they cannot be told, as with `*`. */
  columns: string[] | undefined;
  /** Whether it gives rows: a SELECT, or one with RETURNING. */
  returnsRows: boolean;
  /** The kinds of the statements that its WITH clauses hold. */
  inner: string[];
  /** Whether it, or a statement in its WITH, is an UPDATE or a DELETE of every row. */
  lacksWhere: boolean;
  /** Whether it locks what it reads: FOR UPDATE and its like. */
  locks: boolean;
  /** Whether it reads a relation `findings` of no schema that it does not make itself. */
  readsFindings: boolean;
  /** Whether it is `INSERT INTO ... VALUES (...)` of one row without DEFAULT. */
  insertsOneRow: boolean;
  /** What RETURNING has to say to give the rows that it wrote, and nothing of the tables beside them. */
  ownRows: string;
}

interface Column {
  ResTarget?: { name?: string; val?: Record<string, unknown> };
}

interface Statement {
  targetList?: Column[];
  returningClause?: { exprs?: Column[] };
  fromClause?: unknown[];
  selectStmt?: { SelectStmt?: { valuesLists?: { List?: { items?: Record<string, unknown>[] } }[] } };
  whereClause?: unknown;
  lockingClause?: unknown;
  relation?: { relname?: string; alias?: { aliasname?: string } };
  withClause?: { ctes?: { CommonTableExpr?: { ctename?: string; ctequery?: Record<string, unknown> } }[] };
}

/** The relation that a remedy with `batch: true` reads. */
export const findingsRelation = 'findings';

const changing: ReadonlySet<string> = new Set(['UpdateStmt', 'DeleteStmt']);

/** Reads the shape of a statement of a kind such as `SelectStmt` off what the parser made of it. */
export function describeStatement(kind: string, body: unknown): StatementShape {
  const statement = (body ?? {}) as Statement;
  const given = statement.returningClause?.exprs ?? statement.targetList ?? [];
  const names = given.map(({ ResTarget }) => ResTarget?.name ?? nameColumn(ResTarget?.val));
  const known = names.filter((name) => name !== undefined);
  const ctes = (statement.withClause?.ctes ?? []).flatMap(({ CommonTableExpr }) => CommonTableExpr ?? []);
  const inner = ctes.flatMap(({ ctequery }) => Object.entries(ctequery ?? {}));
  return {
    columns: known.length === names.length && known.length > 0 ? known : undefined,
    returnsRows: kind === 'SelectStmt' || statement.returningClause !== undefined,
    inner: inner.map(([innerKind]) => innerKind),
    lacksWhere: [[kind, statement] as const, ...inner].some(
      ([one, tree]) => changing.has(one) && (tree as Statement).whereClause === undefined,
    ),
    locks: statement.lockingClause !== undefined,
    readsFindings: ctes.every(({ ctename }) => ctename !== findingsRelation) && reads(statement, findingsRelation),
    insertsOneRow: kind === 'InsertStmt' && isOneRow(statement),
    ownRows: (statement.fromClause ?? []).length === 0 ? '*' : `${nameTarget(statement)}.*`,
  };
}

function isOneRow({ selectStmt }: Statement): boolean {
  const rows = selectStmt?.SelectStmt?.valuesLists ?? [];
  return rows.length === 1 && (rows[0]?.List?.items ?? []).every((item) => !Object.hasOwn(item, 'SetToDefault'));
}

/** A table that is written to stands in no `RangeVar`; one that is read does, at any depth. */
function reads(tree: unknown, relation: string): boolean {
  if (typeof tree !== 'object' || tree === null) return false;
  const { RangeVar: range } = tree as { RangeVar?: { schemaname?: string; relname?: string } };
  if (range?.relname === relation && range.schemaname === undefined) return true;
  return Object.values(tree).some((part) => reads(part, relation));
}

function nameTarget({ relation }: Statement): string {
  return `"${(relation?.alias?.aliasname ?? relation?.relname ?? '').replaceAll('"', '""')}"`;
}

/** What Postgres calls a column without AS; undefined where that takes more than a look. */
function nameColumn(value: Record<string, unknown> | undefined): string | undefined {
  const column = value?.['ColumnRef'] as { fields?: { String?: { sval?: string } }[] } | undefined;
  const call = value?.['FuncCall'] as { funcname?: { String?: { sval?: string } }[] } | undefined;
  return (column?.fields ?? call?.funcname)?.at(-1)?.String?.sval;
}
