import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { Argument, type Command, Option } from 'commander';
import { exportRows, exportSubjects } from '../../history/export.ts';
import type { Export, ExportSubject } from '../../history/export.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import type { writeParquet } from '../export-parquet.ts';
import { writeText } from '../export-text.ts';
import { withHistory } from '../history-service.ts';
import { writeNewFile } from '../new-file.ts';
import { guardTerminal } from '../printable.ts';
import { drawProgress } from '../progress-bar.ts';
import { Refusal } from '../refusal.ts';
import { parseSince } from '../since.ts';

const formats = ['parquet', 'csv', 'jsonl'] as const;
type Format = (typeof formats)[number];

interface ExportOptions extends CommonOptions {
  to: string;
  since?: Date;
  format?: Format;
  force?: boolean;
}

const redrawMs = 200;

export function addExport(program: Command, signal: AbortSignal): void {
  const command = program
    .command('export')
    .summary('write the journal or the runs into a file')
    .description(
      'Write the journal or the runs into a file, as they are at one moment and oldest first. The file is there whole or ' +
        'not at all. Parquet is gathered on the disk first and needs room for it twice.',
    )
    .addArgument(new Argument('<what>', 'what to export').choices(exportSubjects))
    .requiredOption('--to <file>', 'where to write it; - is stdout, for csv and jsonl')
    .option('--since <span|time>', 'only from then on: 90m, 72h, 7d, or an ISO time', (text) => parseSince(text))
    .addOption(new Option('--format <format>', 'by default what the name of the file ends in').choices(formats))
    .option('--force', 'replace a file that is there');
  handle<ExportOptions>(
    withJson(command),
    signal,
    async (session, options, [subject]) => {
      const format = options.format ?? readFormat(options.to);
      if (options.to === '-') return exportToStdout(session, subject as ExportSubject, options, format);
      const told = await exportToFile(session, subject as ExportSubject, options, format);
      session.output.data({ subject, file: options.to, format, ...told });
      const size = `${(told.bytes / 1e6).toFixed(1)} MB`;
      session.output.line(`${told.rows.toLocaleString('en')} rows of ${subject} in ${options.to} (${size})`);
    },
    { drains: true },
  );
}

function readFormat(file: string): Format {
  const format = formats.find((known) => extname(file).toLowerCase() === `.${known}`);
  if (format !== undefined) return format;
  throw new Refusal(`${file} does not say which format it is to have`, `Say --format ${formats.join('|')}.`);
}

/** What all ways of exporting have in common. */
async function exportWith(
  { settings, output, signal }: Session,
  subject: ExportSubject,
  { since }: ExportOptions,
  write: (rows: Export, onBatch: (done: number) => void) => Promise<number>,
): Promise<number> {
  return withHistory(settings, (pool) =>
    exportRows(pool, { subject, since, signal }, (rows) => {
      const startedAt = Date.now();
      let drawnAt = -Infinity;
      return write(rows, (done) => {
        if (Date.now() - drawnAt < redrawMs) return;
        drawnAt = Date.now();
        output.progress(drawProgress('exporting', done, rows.total, Date.now() - startedAt));
      });
    }),
  );
}

async function exportToFile(
  session: Session,
  subject: ExportSubject,
  options: ExportOptions,
  format: Format,
): Promise<{ rows: number; bytes: number }> {
  let rows = 0;
  const bytes = await writeNewFile(options.to, options.force === true, async ({ file, folder }) => {
    if (format === 'parquet') {
      const parquet = await loadParquet();
      rows = await exportWith(session, subject, options, (found, onBatch) =>
        parquet.writeParquet(found, { file, folder, signal: session.signal }, onBatch),
      );
      return;
    }
    const opened = await open(file, 'wx');
    try {
      const write = (piece: string) => opened.writeFile(piece);
      rows = await exportWith(session, subject, options, (found, onBatch) => writeText(found, format, write, onBatch));
      await opened.sync();
    } finally {
      await opened.close();
    }
  });
  return { rows, bytes };
}

async function loadParquet(): Promise<{ writeParquet: typeof writeParquet }> {
  try {
    return await import('../export-parquet.ts');
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new Refusal(`Parquet cannot be written on this machine: ${reason}`, 'Say --format csv or --format jsonl.');
  }
}

async function exportToStdout(session: Session, subject: ExportSubject, options: ExportOptions, format: Format) {
  if (format === 'parquet') throw new Refusal('Parquet is not written to stdout', 'Name a file, or another --format.');
  if (options.json === true) throw new Refusal('--json has no place beside --to -', 'Leave it out.');
  await exportWith(session, subject, options, (rows, onBatch) =>
    writeText(rows, format, (piece) => writeStdout(piece, session.signal), onBatch),
  );
}

async function writeStdout(piece: string, signal: AbortSignal): Promise<void> {
  const { stdout } = process;
  const shown = stdout.isTTY ? guardTerminal(piece) : piece;
  const fault = await new Promise<Error | null | undefined>((resolve) => stdout.write(shown, resolve));
  // A reader that went away has what it wants.
  signal.throwIfAborted();
  if (fault) throw fault;
}
