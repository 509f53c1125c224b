import type pg from 'pg';

/** What can be exported. */
export const exportSubjects = ['journal', 'runs'] as const;
export type ExportSubject = (typeof exportSubjects)[number];

/** `json` is JSON text; `timestamp` is in microseconds since 1970, UTC. */
export type ExportType = 'text' | 'json' | 'timestamp' | 'bigint' | 'integer' | 'boolean';

export interface ExportColumn {
  name: string;
  type: ExportType;
}

/** A value as its column has it: bigint for `timestamp` and `bigint`, number for `integer`, text for `text` and `json`. */
export type ExportValue = string | bigint | number | boolean | null;

/** All rows of a subject, as they were at one moment. */
export interface Export {
  columns: readonly ExportColumn[];
  total: number;
  batches: AsyncIterable<ExportValue[][]>;
}

const of = (type: ExportType, ...names: string[]): ExportColumn[] => names.map((name) => ({ name, type }));

/** Append-only: whoever reads the files counts on these names and types. */
const subjects: Record<ExportSubject, { columns: readonly ExportColumn[]; time: string; order: string }> = {
  journal: {
    columns: [
      ...of('bigint', 'event_id'),
      ...of('timestamp', 'at'),
      ...of('text', 'entity_type', 'entity_id', 'field', 'action'),
      ...of('json', 'old_value', 'new_value'),
      ...of('text', 'actor', 'source', 'workspace'),
    ],
    time: 'at',
    order: 'event_id',
  },
  runs: {
    columns: [
      ...of('text', 'id'),
      ...of('timestamp', 'scheduled_at'),
      ...of('text', 'definition_id', 'definition_uuid', 'kind', 'source', 'trigger', 'actor', 'revision'),
      ...of('text', 'contract_hash', 'workflow_id', 'workflow_run_id'),
      ...of('integer', 'standing'),
      ...of('text', 'outcome', 'assessment'),
      ...of('integer', 'assessment_failure_count', 'exit_code'),
      ...of('text', 'reason'),
      ...of('integer', 'attempt'),
      ...of('timestamp', 'started_at', 'finished_at'),
      ...of('integer', 'response_status'),
      ...of('json', 'response', 'stages', 'targets'),
      ...of('boolean', 'too_short'),
      ...of('integer', 'details_dropped'),
      ...of('timestamp', 'recorded_at'),
      ...of('boolean', 'dry_run'),
      ...of('json', 'flags'),
    ],
    time: 'scheduled_at',
    order: 'scheduled_at, id',
  },
};

const expressions: Record<ExportType, (name: string) => string> = {
  text: (name) => `${name}::text`,
  json: (name) => `${name}::text`,
  timestamp: (name) => `(extract(epoch FROM ${name}) * 1000000)::bigint`,
  bigint: (name) => `${name}::bigint`,
  integer: (name) => `${name}::integer`,
  boolean: (name) => name,
};

/** As the type would write them they are no JSON. */
const ownExpressions: Record<string, string> = { flags: 'to_json(flags)::text' };

/** An answer that a row holds may take 1 MiB: with so many at once in memory, few of them need any more. */
const rowsAtOnce = 256;
/** A long history takes its time to be counted, and to be put in order. */
const patienceMs = 3_600_000;

/**
 * Hands out all rows of a subject since a time, the oldest first, in one snapshot and a batch at a time. Rejects with the
 * reason of `signal` when that is aborted.
 */
export async function exportRows<Result>(
  pool: pg.Pool,
  { subject, since, signal }: { subject: ExportSubject; since?: Date | undefined; signal: AbortSignal },
  use: (rows: Export) => Promise<Result>,
): Promise<Result> {
  const { columns, time, order } = subjects[subject];
  const client = await pool.connect();
  // Without a listener a connection that breaks while it is idle would end the process; the next query says so.
  client.on('error', () => {});
  let isReleased = false;
  const release = () => {
    if (!isReleased) client.release(true);
    isReleased = true;
  };
  signal.addEventListener('abort', release, { once: true });
  const ask = async (text: string, values: unknown[] = []): Promise<unknown[][]> => {
    signal.throwIfAborted();
    // The driver knows this key of a query; its types do not.
    const query: pg.QueryArrayConfig & { query_timeout: number } = {
      ...{ text, values, rowMode: 'array', query_timeout: patienceMs },
    };
    try {
      return (await client.query<unknown[]>(query)).rows;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    }
  };
  try {
    await ask('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await ask(`SET LOCAL statement_timeout = ${patienceMs}`);
    const rows = `FROM actcore.${subject} WHERE $1::timestamptz IS NULL OR ${time} >= $1`;
    const total = Number((await ask(`SELECT count(*) ${rows}`, [since ?? null]))[0]?.[0]);
    const selected = columns
      .map(({ name, type }) => `${ownExpressions[name] ?? expressions[type](name)} AS ${name}`)
      .join(', ');
    await ask(`DECLARE exported NO SCROLL CURSOR FOR SELECT ${selected} ${rows} ORDER BY ${order}`, [since ?? null]);
    return await use({ columns, total, batches: fetchBatches(ask, columns) });
  } finally {
    signal.removeEventListener('abort', release);
    release();
  }
}

async function* fetchBatches(
  ask: (text: string) => Promise<unknown[][]>,
  columns: readonly ExportColumn[],
): AsyncGenerator<ExportValue[][]> {
  for (;;) {
    const rows = await ask(`FETCH ${rowsAtOnce} FROM exported`);
    if (rows.length === 0) return;
    yield rows.map((row) => columns.map(({ type }, place) => readValue(type, row[place])));
  }
}

/** The driver gives an int8 as text, so that it stays exact. */
function readValue(type: ExportType, value: unknown): ExportValue {
  if (typeof value === 'string' && (type === 'bigint' || type === 'timestamp')) return BigInt(value);
  return value as ExportValue;
}
