import { createRedactor } from '../activities/redaction.ts';
import type { Redact } from '../activities/redaction.ts';
import { storable } from '../history/storable.ts';
import type { CommandResult } from './command.ts';
import type { CommandOutput } from './entry.ts';

/** What is kept of each stream. */
export const keptBytes = 65_536;
/** As much before it is looked at too, as a secret may begin there. */
export const marginBytes = 16_384;
/** The longest answer that is judged. */
export const longestAnswerBytes = 1_048_576;

/** Names of variables whose values are nobody's business. `PWD` alone is the folder that a shell is in. */
const secretName =
  /(^|_)(TOKEN|PASS|PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIALS?|PGPASSWORD|(API|ACCESS|PRIVATE|SECRET|SIGNING)_?KEY)(_|$)|[A-Z0-9]_(KEY|PWD)$/i;
/** Shorter values would be found in every other word. */
const shortestGuessed = 6;

/** What is known to be a secret by its look. Each keeps what stands before it, and a JSON string one. */
const patterns: [RegExp, string][] = [
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[^]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, '[redacted private key]'],
  [/\b(authorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+)[^\s"',;\\]+/gi, '$1[redacted]'],
  [/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@"']*:)[^\s@/"']+@/gi, '$1[redacted]@'],
  [
    /\b(password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|client[_-]?secret)=[^\s"'&,;\\]+/gi,
    '$1=[redacted]',
  ],
  [
    /("(?:password|passwd|secret|token|api[_-]?key|access[_-]?token|client[_-]?secret)"\s*:\s*")[^"\\]+/gi,
    '$1[redacted]',
  ],
  [/\b(AKIA|ASIA)[0-9A-Z]{16}\b/g, '[redacted access key]'],
  [/\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,})/g, '[redacted token]'],
  [/\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,}/g, '[redacted token]'],
];

/**
 * Takes out of a text the values of these variables, of all whose names say that they are secrets, the passwords in
 * addresses, and what is known by its look.
 */
export function createOutputRedactor(names: readonly string[], env: NodeJS.ProcessEnv): Redact {
  const named = Object.entries(env).flatMap(([name, value = '']): [string, string][] => {
    if (names.includes(name)) return [[name, value]];
    const isSecret = secretName.test(name) && value.length >= shortestGuessed;
    return [...(isSecret ? [[name, value] as [string, string]] : []), ...readPassword(name, value)];
  });
  const redact = createRedactor(named.filter(([, value]) => value !== ''));
  return (text) => patterns.reduce((clean, [pattern, mark]) => clean.replace(pattern, mark), redact(text));
}

function readPassword(name: string, value: string): [string, string][] {
  if (!value.includes('://') || !URL.canParse(value)) return [];
  const { password } = new URL(value);
  return password.length < shortestGuessed
    ? []
    : [
        [name, password],
        [name, decodeOr(password)],
      ];
}

function decodeOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The ends of both streams, as text that the history can keep. */
export function readOutput({ stdout, stderr }: CommandResult, redact: Redact): CommandOutput | undefined {
  if (stdout === undefined || stderr === undefined) return undefined;
  const read = (passage: typeof stdout) => {
    const text = storable(redact(passage.tail().toString('utf8')));
    // A secret that was cut off stands at the very start, where nobody knows it any more.
    return passage.bytes() > keptBytes + marginBytes ? text.slice(marginBytes) : text.slice(-keptBytes);
  };
  return { stdout: read(stdout), stderr: read(stderr), stdoutBytes: stdout.bytes(), stderrBytes: stderr.bytes() };
}

/** All of stdout for being judged; null where there is more than can be. */
export function readCommandAnswer({ stdout }: CommandResult, redact: Redact): string | null {
  const whole = stdout?.whole();
  return whole === undefined ? null : redact(whole.toString('utf8'));
}
