import pg from 'pg';

/** How long a connection may take before the history counts as away. */
export const connectTimeoutMs = 2_000;
const statementTimeoutMs = 10_000;

/**
 * A pool for the history at `url`. Connecting is tried when a query needs it, and given up after `timeoutMs`:
 * a database that is away costs its caller two seconds, unless it has more to give, and never the process.
 */
export function openHistory(url: string, timeoutMs = connectTimeoutMs): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max: 10,
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + 1_000,
    application_name: 'actcore',
    keepAlive: true,
  });
  // An idle connection that breaks is replaced by the pool; without a listener Node would end the process.
  pool.on('error', () => {});
  return pool;
}

const unreachableCodes = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'ECONNRESET',
  'ECONNABORTED',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENOENT',
  'EPIPE',
]);

/** Connection exception; too many connections; the server is shutting down, crashed or starting up. */
const unreachableStates = /^(08...|53300|57P0[123])$/;

/** How the driver words what it noticed itself. A statement that was too slow is not among them: its server is there. */
const driverMessages =
  /^(timeout expired|timeout exceeded when trying to connect|Connection terminated|Query read timeout|Client has encountered a connection error)/;

/** Whether an error says that the history is not there, which another attempt later may find mended. */
export function isUnreachable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return unreachableCodes.has(code) || unreachableStates.test(code) || driverMessages.test(error.message);
}
