import { randomUUID } from 'node:crypto';
import pg from 'pg';
import type { Finding, Treatment } from '../../../../activities/watchdog/finding.ts';
import { treatByRequest } from '../../../../activities/watchdog/http-remedy.ts';
import { resolveVariables } from '../../../../activities/variables.ts';
import type { ActionRecord, WatchdogOrder } from '../../../../workflows/contract.ts';
import { makeTick } from '../../../history/support/history.ts';
import { createTestDatabase } from '../../../support/database.ts';
import { defineWatchdog } from '../../../support/watchdogs.ts';

/** What the history was told of the triplets of one transaction, or of one request. */
export interface Kept {
  records: ActionRecord[];
  fate?: 'committed' | 'aborted';
}

/** A database to watch and a history that keeps what it is told in a list. */
export interface RemedyStage {
  url: string;
  client: pg.Client;
  kept: Kept[];
  /** Runs the first check of a definition against the database, and its remedy for all that it finds. */
  treat(
    order: WatchdogOrder,
    environment: Record<string, string>,
    changes?: Partial<Treatment>,
  ): ReturnType<typeof treatByRequest>;
  close(): Promise<void>;
}

/** Makes such a database. */
export async function openRemedyStage(): Promise<RemedyStage> {
  const database = await createTestDatabase();
  const client = new pg.Client({ connectionString: database.url, types: { getTypeParser: () => String } });
  await client.connect();
  const kept: Kept[] = [];
  const stage: RemedyStage = {
    ...{ url: database.url, client, kept },
    async treat(order, environment, changes = {}) {
      const variables = resolveVariables(order, environment);
      const findings = await detect(client, order);
      const treatment = { ...makeTreatment(client, order, kept), ...changes };
      return treatByRequest({ treatment, order, firing: makeTick(), variables, environment }, findings);
    },
    async close() {
      await client.end();
      await database.drop();
    },
  };
  return stage;
}

function makeTreatment(client: pg.Client, order: WatchdogOrder, kept: Kept[]): Treatment {
  const check = order.watchdog.checks[0]!;
  return {
    ...{ client, check, mode: 'auto', definitionId: order.definition.id, runId: randomUUID() },
    decide: (_, reason) => JSON.stringify({ check: check.name, reason }),
    statementTimeoutMs: () => 20_000,
    signal: new AbortController().signal,
    now: () => new Date(),
    async prepare(records) {
      const entry: Kept = { records: structuredClone(records) };
      kept.push(entry);
      return { settle: async (fate) => void (entry.fate ??= fate) };
    },
  };
}

async function detect(client: pg.Client, { watchdog }: WatchdogOrder): Promise<Finding[]> {
  const { detect: statement, key, params } = watchdog.checks[0]!;
  const { rows } = await client.query<Record<string, string | null>>({
    text: `select to_json(d)::text as "row in json", d.* from (${statement.text}) d`,
    values: statement.parameters.map((name) => params[name]),
  });
  return rows.map(({ 'row in json': json, ...columns }) => ({
    key: JSON.stringify(key.map((name) => columns[name])),
    columns: new Map(Object.entries(columns)),
    json: json!,
  }));
}

/** A watchdog of one check, `detect` its query and `request` its YAML on one line; `keys` are lines of frontmatter. */
export async function defineRemedy(
  detectSql: string,
  request: string,
  { audit = '', ...keys }: { audit?: string } & Record<string, string> = {},
): Promise<WatchdogOrder> {
  const check = {
    keys: { action: 'tell the target', mode: 'auto', remedy: `{ http: { request: ${request} } }` },
    detect: detectSql,
    ...(audit === '' ? {} : { audit }),
  };
  const names = { env: '[TARGET_URL]', secrets: '[TARGET_TOKEN]' };
  return (await defineWatchdog('test.remedy', { 'check-a': check }, { ...names, ...keys })).order;
}
