import type pg from 'pg';
import { isUnreachable, openHistory } from '../history/database.ts';
import { readCertificates, readPrivateKey } from './pem-files.ts';
import { Refusal, exitCodes } from './refusal.ts';
import type { Settings } from './settings.ts';

/** More than a worker gives it: a command has nothing else to do, and a busy machine is slow while SQL is compiled. */
const connectTimeoutMs = 6_000;

/** Refuses where no history is configured, or by a URL that no driver can read. */
export function checkHistoryUrl({ databaseUrl }: Settings): string {
  if (databaseUrl === undefined) {
    throw new Refusal('No history is configured', 'Set ACTCORE_DATABASE_URL, or start the embedded stack: npm start');
  }
  describeUrl(databaseUrl);
  checkFiles(new URL(databaseUrl).searchParams);
  return databaseUrl;
}

/** Opens the history for one command. Refuses, within ten seconds, where it is not there or not set up. */
export async function withHistory<Result>(
  settings: Settings,
  use: (pool: pg.Pool) => Promise<Result>,
): Promise<Result> {
  const databaseUrl = checkHistoryUrl(settings);
  const where = describeUrl(databaseUrl);
  const pool = openPool(databaseUrl);
  try {
    return await use(pool);
  } catch (error) {
    throw explainHistoryError(error, where);
  } finally {
    await pool.end();
  }
}

/** The driver reads these itself, and tells of no fault in them before it is connected. */
function checkFiles(parameters: URLSearchParams): void {
  const now = new Date();
  const name = (parameter: string) => `${parameter} in ACTCORE_DATABASE_URL`;
  for (const parameter of ['sslrootcert', 'sslcert']) {
    const file = parameters.get(parameter);
    if (file) readCertificates(name(parameter), file, now);
  }
  const key = parameters.get('sslkey');
  if (key) readPrivateKey(name('sslkey'), key);
}

/** Host, port and database of a URL: neither its user nor its password nor its parameters. */
function describeUrl(url: string): string {
  const { protocol, hostname, port, pathname, searchParams } = parseUrl(url);
  if (!/^(postgres|postgresql|socket):$/.test(protocol)) throw malformedUrl();
  return `${hostname || searchParams.get('host') || 'localhost'}:${port || '5432'}${pathname}`;
}

function parseUrl(url: string): URL {
  if (!URL.canParse(url)) throw malformedUrl();
  return new URL(url);
}

/** The driver parses more strictly than a URL does; what it throws quotes the password. */
function openPool(url: string): pg.Pool {
  try {
    return openHistory(url, connectTimeoutMs);
  } catch {
    throw malformedUrl();
  }
}

function malformedUrl(): Refusal {
  return new Refusal(
    'ACTCORE_DATABASE_URL is not the URL of a Postgres database',
    'It reads postgres://user:password@host:port/database; signs in the password are percent-encoded.',
  );
}

/** What Postgres says by its error code (https://www.postgresql.org/docs/current/errcodes-appendix.html), and what to do. */
const explanations: { code: RegExp; says: string; advice: string; unreachable?: true }[] = [
  { code: /^(42P01|3F000)$/, says: 'has no tables yet', advice: 'Make them with: actcore migrate' },
  { code: /^(42703|42883)$/, says: 'is older than this program', advice: 'Update it with: actcore migrate' },
  { code: /^42501$/, says: 'does not permit this user to do that', advice: 'Grant it, or use another user.' },
  { code: /^25006$/, says: 'can only be read', advice: 'Name the primary server in ACTCORE_DATABASE_URL.' },
  {
    code: /^28/,
    says: 'refuses this user or password',
    advice: 'Check ACTCORE_DATABASE_URL.',
    unreachable: true,
  },
  {
    code: /^3D000$/,
    says: 'is not there: the server has no such database',
    advice: 'Create it, or check ACTCORE_DATABASE_URL.',
    unreachable: true,
  },
];

function explainHistoryError(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || error instanceof Refusal) return error;
  const code = 'code' in error ? String(error.code) : '';
  const found = explanations.find((explanation) => explanation.code.test(code));
  if (found !== undefined) {
    const exitCode = found.unreachable ? exitCodes.unreachable : exitCodes.failed;
    return new Refusal(`The history at ${where} ${found.says}`, found.advice, exitCode);
  }
  if (error.message.includes('client password must be a string')) {
    const advice = 'Put it into ACTCORE_DATABASE_URL.';
    return new Refusal(`The history at ${where} wants a password`, advice, exitCodes.unreachable);
  }
  if (/certificate|SSL|TLS/i.test(`${code} ${error.message}`)) {
    const advice = 'Check sslmode and sslrootcert in ACTCORE_DATABASE_URL.';
    return new Refusal(
      `The history at ${where} cannot be spoken to in TLS: ${error.message}`,
      advice,
      exitCodes.unreachable,
    );
  }
  if (!isUnreachable(error)) return error;
  const advice = 'Start Postgres there, or set ACTCORE_DATABASE_URL.';
  return new Refusal(`The history does not answer at ${where}`, advice, exitCodes.unreachable);
}
