import pg from 'pg';

/** Makes a database, empty or as a copy of a template that nobody is connected to. `adminUrl` names any other database. */
export async function createDatabase(adminUrl: string, name: string, template?: string): Promise<void> {
  const source = template === undefined ? '' : ` TEMPLATE ${pg.escapeIdentifier(template)}`;
  await runStatement(adminUrl, `CREATE DATABASE ${pg.escapeIdentifier(name)}${source}`);
}

/** Removes a database together with the connections to it; one that is not there is fine. */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await runStatement(adminUrl, `DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
}

/** Whether the server has a database of that name. */
export async function databaseExists(adminUrl: string, name: string): Promise<boolean> {
  return (await runStatement(adminUrl, 'SELECT 1 FROM pg_database WHERE datname = $1', [name])) === 1;
}

/** The same server and account, another database. */
export function renameInUrl(url: string, database: string): string {
  const renamed = new URL(url);
  renamed.pathname = `/${encodeURIComponent(database)}`;
  return renamed.href;
}

/** Undefined when the server answers within the time, else what it or the network said. */
export async function findConnectFault(url: string, timeoutMs: number): Promise<string | undefined> {
  let client: pg.Client | undefined;
  try {
    client = new pg.Client({ connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs });
    client.on('error', () => {});
    await client.connect();
    await client.query('SELECT 1');
    return undefined;
  } catch (error) {
    const fault = error as Error & { code?: string };
    return fault.message || fault.code || 'no answer';
  } finally {
    await client?.end().catch(() => {});
  }
}

async function runStatement(url: string, sql: string, values: string[] = []): Promise<number> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return (await client.query(sql, values)).rowCount ?? 0;
  } finally {
    await client.end();
  }
}
