import type { Export, ExportColumn, ExportValue } from '../history/export.ts';

/** Formats that are text, a row a line. */
export type TextFormat = 'csv' | 'jsonl';

/** Writes rows as text, handing on one piece for each batch; `onBatch` hears how many rows are done. */
export async function writeText(
  { columns, batches }: Export,
  format: TextFormat,
  write: (piece: string) => Promise<void>,
  onBatch: (rows: number) => void,
): Promise<number> {
  let done = 0;
  if (format === 'csv') await write(`${columns.map(({ name }) => name).join(',')}\n`);
  const formatRow = format === 'csv' ? formatCsv : formatJson;
  for await (const batch of batches) {
    await write(batch.map((row) => `${formatRow(columns, row)}\n`).join(''));
    done += batch.length;
    onBatch(done);
  }
  return done;
}

/** As RFC 4180 has it. What is NULL is empty, and an empty text is `""`. */
function formatCsv(columns: readonly ExportColumn[], row: ExportValue[]): string {
  return columns.map(({ type }, place) => quoteCsv(formatValue(type, row[place] ?? null))).join(',');
}

function quoteCsv(text: string | null): string {
  if (text === null) return '';
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** JSON stands in it as JSON, and numbers to the last digit. */
function formatJson(columns: readonly ExportColumn[], row: ExportValue[]): string {
  const members = columns.map(({ name, type }, place) => {
    const text = formatValue(type, row[place] ?? null);
    return `${JSON.stringify(name)}:${text === null ? 'null' : writeJson(type, text)}`;
  });
  return `{${members.join(',')}}`;
}

function writeJson(type: ExportColumn['type'], text: string): string {
  // Within a JSON text a line break is only ever a space between its parts.
  if (type === 'json') return text.replaceAll(/[\r\n]+/g, ' ');
  return type === 'text' || type === 'timestamp' ? JSON.stringify(text) : text;
}

function formatValue(type: ExportColumn['type'], value: ExportValue): string | null {
  if (type === 'timestamp' && typeof value === 'bigint') return formatMicroseconds(value);
  return value === null ? null : String(value);
}

const microsecondsInSecond = 1_000_000n;

/** ISO in UTC, to the microsecond. */
function formatMicroseconds(value: bigint): string {
  const part = ((value % microsecondsInSecond) + microsecondsInSecond) % microsecondsInSecond;
  const seconds = new Date(Number((value - part) / 1_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(part).padStart(6, '0')}Z`;
}
