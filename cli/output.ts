import pc from 'picocolors';
import { fitWidth, guardTerminal, showLine } from './printable.ts';

export type Colors = ReturnType<typeof pc.createColors>;

/** Where a command prints: its data on stdout, everything about them on stderr. */
export interface Output {
  colors: Colors;
  /** For what goes to stderr, which may be a terminal where stdout is a file. */
  noteColors: Colors;
  /** Width of the terminal on stdout; undefined where it is none, and lines may be of any length. */
  columns: number | undefined;
  /** True under `--json`: `data` is then all that goes to stdout. */
  json: boolean;
  line(text?: string): void;
  data(value: unknown): void;
  /** A remark beside the data. */
  note(text: string): void;
  /** A line that the next one replaces; nothing where stderr is not a terminal. */
  progress(text: string): void;
}

/** An output on this process's streams. */
export function openOutput(json: boolean): Output {
  let hasProgress = false;
  const clear = () => {
    if (hasProgress) process.stderr.write('\r\u001b[K');
    hasProgress = false;
  };
  return {
    colors: chooseColors(process.stdout),
    noteColors: chooseColors(process.stderr),
    columns: process.stdout.isTTY ? process.stdout.columns : undefined,
    json,
    line(text = '') {
      clear();
      if (!json) process.stdout.write(`${guardTerminal(text)}\n`);
    },
    data(value) {
      clear();
      if (json) process.stdout.write(`${writeJson(value)}\n`);
    },
    note(text) {
      clear();
      process.stderr.write(`${guardTerminal(text)}\n`);
    },
    progress(text) {
      if (!process.stderr.isTTY) return;
      const width = Math.max(20, (process.stderr.columns || 80) - 1);
      process.stderr.write(`\r\u001b[K${fitWidth(showLine(text), width)}`);
      hasProgress = true;
    },
  };
}

/** Colour follows NO_COLOR, then FORCE_COLOR, then whether this very stream is a terminal that knows colours. */
export function chooseColors(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Colors {
  const forced = env['FORCE_COLOR'];
  if (env['NO_COLOR'] || forced === '0' || forced === 'false') return pc.createColors(false);
  return pc.createColors(Boolean(forced) || (stream.isTTY === true && env['TERM'] !== 'dumb'));
}

/** JSON leaves DEL and the C1 controls as they are, which some terminals obey. */
function writeJson(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    /[\u007f-\u009f]/g,
    (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
