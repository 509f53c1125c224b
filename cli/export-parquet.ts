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

/** Nothing is loaded or fetched: what is needed is built in. One thread, which keeps rows in their order by itself. */
const settings = {
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  memory_limit: '512MB',
  threads: '1',
  // A group of rows can be limited by its size, and not only by its number, only without it.
  preserve_insertion_order: 'false',
};

/** A part is written when it has so much text, or so many rows. */
const partCharacters = 16_000_000;
const partRows = 200_000;
const parquet = "(FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE_BYTES '32MB')";

const quote = (path: string) => `'${path.replaceAll("'", "''")}'`;

/**
 * Writes rows as Parquet (snappy) into `file`, in bounded memory: part by part into `folder`, which so needs room for them
 * twice, and the parts into one. The caller removes the folder. Rejects with the reason of `signal` when that is aborted.
 */
export async function writeParquet(
  { columns, batches }: Export,
  { file, folder, signal }: { file: string; folder: string; signal: AbortSignal },
  onBatch: (rows: number) => void,
): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:', { ...settings, temp_directory: folder });
  const connection = await instance.connect();
  const interrupt = () => connection.interrupt();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const parts = openParts(connection, columns, folder);
    await parts.begin();
    let done = 0;
    for await (const batch of batches) {
      await parts.add(batch);
      done += batch.length;
      onBatch(done);
    }
    const written = await parts.end();
    signal.throwIfAborted();
    const listed = written.map(quote).join(', ');
    await connection.run(`COPY (SELECT * FROM read_parquet([${listed}])) TO ${quote(file)} ${parquet}`);
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

/** The parts that rows are gathered in: at least one, so that there is a file for no rows. */
function openParts(connection: DuckDBConnection, columns: readonly ExportColumn[], folder: string) {
  const wanted = columns.map(({ type }) => types[type]);
  const named = columns.map(({ name, type }) => `"${name}" ${types[type].toString()}`).join(', ');
  const written: string[] = [];
  let [rows, characters] = [0, 0];
  const begin = async () => {
    await connection.run(`CREATE OR REPLACE TABLE part (${named})`);
    [rows, characters] = [0, 0];
  };
  const flush = async () => {
    const part = join(folder, `${written.length}.parquet`);
    await connection.run(`COPY part TO ${quote(part)} ${parquet}`);
    written.push(part);
  };
  const append = async (slice: ExportValue[][]) => {
    const chunk = DuckDBDataChunk.create(wanted, slice.length);
    chunk.setColumns(columns.map(({ type }, place) => slice.map((row) => toDuck(type, row[place] ?? null))));
    const appender = await connection.createAppender('part');
    appender.appendDataChunk(chunk);
    appender.closeSync();
    // Its memory is not the engine's to count, and would wait for a collection that sees no need.
    chunk.reset();
  };
  return {
    begin,
    async add(batch: ExportValue[][]): Promise<void> {
      let from = 0;
      for (const [index, row] of batch.entries()) {
        rows += 1;
        characters += countCharacters(row);
        const isFull = rows >= partRows || characters >= partCharacters;
        if (!isFull && index < batch.length - 1) continue;
        await append(batch.slice(from, index + 1));
        from = index + 1;
        if (!isFull) continue;
        await flush();
        await begin();
      }
    },
    async end(): Promise<string[]> {
      if (rows > 0 || written.length === 0) await flush();
      await connection.run('DROP TABLE part');
      return written;
    },
  };
}

function countCharacters(row: ExportValue[]): number {
  let count = 0;
  for (const value of row) if (typeof value === 'string') count += value.length;
  return count;
}

function toDuck(type: ExportType, value: ExportValue): DuckDBValue {
  return type === 'timestamp' && typeof value === 'bigint' ? new DuckDBTimestampTZValue(value) : value;
}
