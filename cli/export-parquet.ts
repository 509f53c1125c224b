import { join } from 'node:path';
import { BIGINT, BOOLEAN, DuckDBDataChunk, DuckDBInstance, DuckDBTimestampTZValue, INTEGER } from '@duckdb/node-api';
import { TIMESTAMPTZ, VARCHAR } from '@duckdb/node-api';
import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import type { Export, ExportColumn, ExportType, ExportValue } from '../history/export.ts';

/** An instant is in microseconds and UTC; what is JSON is text, so that its numbers stay as they are. */
const types: Record<ExportType, DuckDBType> = {
  text: VARCHAR,
  json: VARCHAR,
  timestamp: TIMESTAMPTZ,
  bigint: BIGINT,
  integer: INTEGER,
  boolean: BOOLEAN,
};

/** Nothing is loaded or fetched: what is needed is built in. Memory is bounded, the rest goes to the disk. */
const settings = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  memory_limit: '256MB',
  threads: '2',
  preserve_insertion_order: 'true',
};

/**
 * Writes rows as Parquet (snappy) into `file`. They are gathered in a database in `folder` first, which so needs room for
 * them twice; the caller removes it.
 */
export async function writeParquet(
  { columns, batches }: Export,
  { file, folder, signal }: { file: string; folder: string; signal: AbortSignal },
  onBatch: (rows: number) => void,
): Promise<number> {
  const instance = await DuckDBInstance.create(join(folder, 'rows.duckdb'), settings);
  const connection = await instance.connect();
  const interrupt = () => connection.interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const named = columns.map(({ name, type }) => `"${name}" ${types[type].toString()}`).join(', ');
    await connection.run(`CREATE TABLE exported (${named})`);
    const done = await gatherRows(connection, columns, batches, onBatch);
    signal.throwIfAborted();
    await connection.run(`COPY exported TO '${file.replaceAll("'", "''")}' (FORMAT parquet, COMPRESSION snappy)`);
    return done;
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', interrupt);
    connection.closeSync();
    instance.closeSync();
  }
}

async function gatherRows(
  connection: DuckDBConnection,
  columns: readonly ExportColumn[],
  batches: Export['batches'],
  onBatch: (rows: number) => void,
): Promise<number> {
  const appender = await connection.createAppender('exported');
  const wanted = columns.map(({ type }) => types[type]);
  let done = 0;
  try {
    for await (const batch of batches) {
      const chunk = DuckDBDataChunk.create(wanted, batch.length);
      chunk.setColumns(columns.map(({ type }, place) => batch.map((row) => toDuck(type, row[place] ?? null))));
      appender.appendDataChunk(chunk);
      done += batch.length;
      onBatch(done);
    }
    return done;
  } finally {
    appender.closeSync();
  }
}

function toDuck(type: ExportType, value: ExportValue): DuckDBValue {
  return type === 'timestamp' && typeof value === 'bigint' ? new DuckDBTimestampTZValue(value) : value;
}
