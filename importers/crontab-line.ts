/** A line of a crontab that asks for something, taken apart. Columns count from 1. */
export interface CrontabEntry {
  line: number;
  column: number;
  /** The five fields, or the nickname. */
  times: string;
  user?: string;
  /** As it stands, with its `\%`. */
  command: string;
  commandColumn: number;
  raw: string;
}

/** A line that sets a variable for those below it. */
export interface CrontabSetting {
  line: number;
  name: string;
  value: string;
}

/** What can be wrong with a line. */
export interface LineFault {
  line: number;
  column: number;
  message: string;
  hint?: string;
}

const setting = /^\s*(?:"([^"]+)"|'([^']+)'|([A-Za-z_]\w*))\s*=\s*(.*?)\s*$/;
const accountName = /^[a-z_][\w.-]*\$?$/i;

/** Reads one line; undefined for a comment and for a blank one. */
export function readCrontabLine(
  raw: string,
  line: number,
  { isSystem }: { isSystem: boolean },
): CrontabEntry | CrontabSetting | LineFault | undefined {
  if (/^\s*(#|$)/.test(raw)) return undefined;
  const set = setting.exec(raw);
  const name = set?.[1] ?? set?.[2] ?? set?.[3];
  if (set && name !== undefined) return { line, name, value: (set[4] ?? '').replace(/^(["'])(.*)\1$/, '$2') };
  const words = [...raw.matchAll(/\S+/g)].map((match) => ({ text: match[0], offset: match.index }));
  const [first] = words;
  if (first === undefined) return undefined;
  const isQuiet = first.text.startsWith('-') && first.text.length > 1;
  const start = first.offset + (isQuiet ? 1 : 0);
  if (!/[\d*@~?]/.test(raw[start] ?? '')) {
    const message = `\`${first.text}\` begins no entry: expected five fields, a nickname such as @daily, or NAME=value`;
    return { line, column: start + 1, message };
  }
  const count = raw[start] === '@' ? 1 : 5;
  const last = words[count - 1];
  const rest = words.slice(count);
  const times = raw.slice(start, last === undefined ? raw.length : last.offset + last.text.length).trimEnd();
  const fault = findCountFault(
    count,
    words.length,
    rest.map(({ text }) => text),
    isSystem,
  );
  if (fault) return { line, column: (rest[0]?.offset ?? raw.length) + 1, ...fault };
  const user = isSystem ? rest.shift()?.text : undefined;
  const at = rest[0]?.offset ?? raw.length;
  const entry = { line, column: start + 1, times, command: raw.slice(at).trimEnd(), commandColumn: at + 1, raw };
  return user === undefined ? entry : { ...entry, user };
}

function findCountFault(
  count: number,
  found: number,
  rest: string[],
  isSystem: boolean,
): Omit<LineFault, 'line' | 'column'> | undefined {
  if (found < count) return { message: `an entry has five fields and a command, here are ${found} words` };
  const [next, ...more] = rest;
  if (next === undefined) {
    const hint = 'five fields (minute, hour, day-of-month, month, day-of-week) or a nickname, then the command';
    return { message: 'there is no command behind the times', hint };
  }
  if (count === 5 && /^[\d*][\d*,/-]*$/.test(next)) {
    const hint =
      'cron has no seconds: take the first field away, or make a definition with `every:`, such as { every: 30s }';
    return {
      message: `\`${next}\` stands where ${isSystem ? 'the user' : 'the command'} begins: six fields of time are one too many`,
      hint,
    };
  }
  if (!isSystem) return undefined;
  if (!accountName.test(next)) {
    const hint = 'in a crontab of a user there is none: leave --system out';
    return {
      message: `\`${next}\` is not the name of a user, which comes before the command in a system crontab`,
      hint,
    };
  }
  return more.length > 0
    ? undefined
    : {
        message: `there is no command behind the user \`${next}\``,
        hint: 'in a crontab of a user there is none: leave --system out',
      };
}

/** The command as the shell gets it, and what it gets on its standard input: what follows the first `%`. */
export function splitPercent(command: string): { line: string; stdin?: string } {
  const parts = command.split(/(?<!\\)%/).map((part) => part.replaceAll('\\%', '%'));
  const [line = '', ...rest] = parts;
  return rest.length === 0 ? { line } : { line: line.trimEnd(), stdin: rest.join('\n') };
}
