import type pg from 'pg';

/** A statement as it goes to the server. */
export interface Statement {
  text: string;
  values: unknown[];
}

/** What a plan reads. */
export interface ReadRelations {
  /** The partitions and tables that are read by whatever way, and those that are read from end to end. */
  read: Set<string>;
  scannedWhole: Set<string>;
}

/** The statements that `ask` sends; their answers are as they always are. */
export async function captureStatements(pool: pg.Pool, ask: (pool: pg.Pool) => Promise<unknown>): Promise<Statement[]> {
  const statements: Statement[] = [];
  const query = (text: string, values: unknown[] = []) => {
    statements.push({ text, values });
    return pool.query(text, values);
  };
  await ask({ query } as unknown as pg.Pool);
  return statements;
}

/** The plan of a statement with what became of it, as Postgres prints it. */
export async function explainStatement(pool: pg.Pool, { text, values }: Statement): Promise<string> {
  const { rows } = await pool.query<{ 'QUERY PLAN': string }>(
    `EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, SUMMARY ON) ${text}`,
    values,
  );
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}

/** A table of so few rows is rightly read from end to end. */
const smallTable = 500;

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Loops'?: number;
  'Actual Rows'?: number;
  'Rows Removed by Filter'?: number;
  Plans?: PlanNode[];
}

/** Which relations a statement really reads: partitions that the server prunes, before or while it runs, are not among them. */
export async function findReadRelations(pool: pg.Pool, { text, values }: Statement): Promise<ReadRelations> {
  const { rows } = await pool.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
    `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
    values,
  );
  const found: ReadRelations = { read: new Set(), scannedWhole: new Set() };
  const walk = (node: PlanNode) => {
    const relation = node['Relation Name'];
    if (relation !== undefined && node['Actual Loops'] !== 0) {
      found.read.add(relation);
      const looked = (node['Actual Rows'] ?? 0) + (node['Rows Removed by Filter'] ?? 0);
      if (node['Node Type'] === 'Seq Scan' && looked >= smallTable) found.scannedWhole.add(relation);
    }
    for (const child of node.Plans ?? []) walk(child);
  };
  const plan = rows[0]?.['QUERY PLAN'][0].Plan;
  if (plan !== undefined) walk(plan);
  return found;
}
