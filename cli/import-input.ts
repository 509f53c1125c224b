import { isUtf8 } from 'node:buffer';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { nameService } from '../importers/systemd.ts';
import type { TimerFiles, UnitFiles } from '../importers/systemd.ts';
import { Refusal } from './refusal.ts';

/** What an operator names to be imported, as it was read. */
export interface InputFile {
  file: string;
  text: string;
}

/** Larger ones are not what they are said to be. */
const largestBytes = 16 * 1_048_576;

/** Reads a file, or standard input where it is `-`. */
export function readInput(file: string): InputFile {
  const bytes = readBytes(file);
  if (bytes.length > largestBytes) throw new Refusal(`${file} is larger than ${largestBytes / 1_048_576} MiB`);
  if (isUtf8(bytes)) return { file: file === '-' ? 'stdin' : file, text: bytes.toString('utf8') };
  const line = bytes
    .toString('latin1')
    .split('\n')
    .findIndex((row) => !isUtf8(Buffer.from(row, 'latin1')));
  throw new Refusal(`${file}:${line + 1}:1: not UTF-8`, 'Save it as UTF-8, such as by: iconv -f latin1 -t utf8');
}

function readBytes(file: string): Buffer {
  try {
    if (file !== '-' && !statSync(file).isFile() && !statSync(file).isFIFO())
      throw new Refusal(`${file} is not a file`);
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    const reason = error instanceof Error ? error.message.replace(/^\w+: /, '').replace(/, \w+.*$/, '') : String(error);
    throw new Refusal(`${file === '-' ? 'standard input' : file} cannot be read: ${reason}`);
  }
}

/** Reads a timer with its drop-ins, and the service that it starts with its own, from the same folder. */
export function readTimerFiles(file: string): TimerFiles {
  const name = basename(file);
  const timer = [readInput(file), ...readDropIns(file)];
  const service = findService(dirname(file), nameService(name, timer));
  return service === undefined ? { name, timer } : { name, timer, service };
}

/** `backup@db.service` may be `backup@.service` with its name. */
function findService(folder: string, name: string): UnitFiles | undefined {
  const names = [name, name.replace(/@[^.]+\./, '@.')];
  const file = names.map((one) => join(folder, one)).find((one) => existsSync(one));
  return file === undefined ? undefined : [readInput(file), ...readDropIns(file)];
}

function readDropIns(file: string): UnitFiles {
  const folder = `${file}.d`;
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  const names = readdirSync(folder).filter((name) => name.endsWith('.conf'));
  return names.sort().map((name) => readInput(join(folder, name)));
}
