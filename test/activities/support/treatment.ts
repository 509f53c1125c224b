import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { prepareSql, parseSql } from '../../../compiler/sql.ts';
import type { Finding, Treatment } from '../../../activities/watchdog/finding.ts';
import type { ActionRecord, Decision, JsonValue, SqlStatement, WatchdogCheck } from '../../../workflows/contract.ts';

/** A check as a test writes it: SQL with `:name`, and keys of the definition where they matter. */
export interface CheckText {
  detect: string;
  remedy: string;
  audit?: string;
  key?: string[];
  params?: Record<string, JsonValue>;
  maxRows?: number;
  batch?: boolean;
}

/** A check as the compiler makes it. */
export async function defineCheck({ detect, remedy, audit, key = ['id'], ...rest }: CheckText): Promise<WatchdogCheck> {
  await prepareSql();
  return {
    ...{ name: 'sample', mode: 'auto', contractHash: 'x', action: 'mend', limit: 100_000, cooldownMs: 0 },
    ...{ params: rest.params ?? {}, maxRows: rest.maxRows ?? 1, batch: rest.batch ?? false, key },
    ...{ destructive: false, quarantineAfter: 5, detect: compile(detect), remedy: { sql: compile(remedy) } },
    ...(audit === undefined ? {} : { audit: compile(audit) }),
  };
}

function compile(sql: string): SqlStatement {
  const parsed = parseSql(sql);
  if ('fault' in parsed) throw new Error(`${parsed.fault.message}: ${sql}`);
  const { text, parameters, returnsRows } = parsed;
  return { text, parameters, returnsRows };
}

/** A treatment, and what became of the triplets that it made. */
export interface Staged {
  treatment: Treatment;
  /** The triplets of transactions that are said to have committed, with the transaction. */
  kept: { record: ActionRecord; xid: string | undefined }[];
  fates: string[];
}

export function stageTreatment(client: pg.ClientBase, check: WatchdogCheck, changes: Partial<Treatment> = {}): Staged {
  const kept: Staged['kept'] = [];
  const fates: string[] = [];
  const mode = changes.mode ?? 'auto';
  const treatment: Treatment = {
    ...{ client, check, mode, definitionId: 'team.sample', runId: randomUUID(), now: () => new Date() },
    decide: (_, reason) => {
      const decision: Decision = {
        ...{ check: check.name, mode, parameters: check.params, threshold: null, dry_run: false, reason },
      };
      return JSON.stringify(decision);
    },
    statementTimeoutMs: () => 20_000,
    signal: new AbortController().signal,
    async prepare(records, xid) {
      return {
        async settle(fate) {
          fates.push(fate);
          if (fate === 'committed') kept.push(...records.map((record) => ({ record, xid })));
        },
      };
    },
    ...changes,
  };
  return { treatment, kept, fates };
}

/** Connects as the run does: every value is the text that Postgres wrote. */
export async function connectAsRun(url: string, changes: pg.ClientConfig = {}): Promise<pg.Client> {
  const types = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;
  const client = new pg.Client({ connectionString: url, types, ...changes });
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** What a check finds, as the run reads it. */
export async function detectNow(client: pg.ClientBase, { detect, key, params }: WatchdogCheck): Promise<Finding[]> {
  const columns = key.map((name) => `f.${pg.escapeIdentifier(name)}`).join(', ');
  const text = `SELECT json_build_array(${columns})::text, to_json(f)::text, f.* FROM (${detect.text.replace(/;\s*$/, '')}\n) f`;
  const values = detect.parameters.map((name) => params[name] ?? null);
  const { rows, fields } = await client.query<(string | null)[]>({ text, values, rowMode: 'array' });
  return rows.map(([name, json, ...rest]) => ({
    key: name ?? '',
    json: json ?? '',
    columns: new Map(fields.slice(2).map((field, index) => [field.name, rest[index] ?? null])),
  }));
}
