import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { compileFiles, prepareCompiler } from '../../../compiler/compile-files.ts';
import type { CheckReport, SqlStatement, WatchdogCheck, WatchdogOrder } from '../../../workflows/contract.ts';
import { checkout } from '../../support/program.ts';

/** What became of each check, by its name. */
export type CheckTallies = Record<string, Partial<Pick<CheckReport, (typeof told)[number]>>>;

const told = ['mode', 'findings', 'cured', 'proposed', 'failed', 'error'] as const;

/** Compiles a shipped watchdog, its text changed where the case needs another. */
export async function compileWatchdog(
  path: string,
  change: (text: string) => string = (text) => text,
): Promise<WatchdogOrder> {
  const file = join(checkout, path);
  const source = { file, text: change(readFileSync(file, 'utf8')) };
  await prepareCompiler([source]);
  const { definitions, problems } = compileFiles([source]);
  const order = definitions[0]?.order;
  if (order?.kind !== 'watchdog') throw new Error(`${file} is no watchdog: ${JSON.stringify(problems)}`);
  return order;
}

/** Replaces a text that has to be there. */
export function replaceIn(text: string, from: string, to: string): string {
  if (!text.includes(from)) throw new Error(`the definition does not hold ${from}`);
  return text.replace(from, () => to);
}

type Row = Record<string, string | null>;

/** Runs the checks of a watchdog once: each statement as it is compiled, its values bound as text. */
export async function runChecks(order: WatchdogOrder, env: Record<string, string>): Promise<CheckTallies> {
  const { watchdog } = order;
  const connectionString = watchdog.database.map((name) => env[name]).find((value) => value !== undefined);
  const client = new pg.Client({ connectionString, types: { getTypeParser: () => (text: unknown) => text } });
  await client.connect();
  try {
    const tallies: CheckTallies = {};
    for (const check of watchdog.checks) {
      const isHeld = check.destructive && !watchdog.destructiveOk;
      const mode = check.mode === 'auto' && isHeld ? 'dry_run' : check.mode;
      tallies[check.name] = { mode, ...(await runCheck(client, check, mode, order)) };
    }
    return tallies;
  } finally {
    await client.end();
  }
}

async function runCheck(client: pg.Client, check: WatchdogCheck, mode: string, order: WatchdogOrder) {
  const tally = { findings: 0, cured: 0, proposed: 0, failed: 0 };
  await client.query('begin read only');
  const found = await query(client, check.detect, check.params);
  await client.query('rollback');
  tally.findings = found.length;
  for (const finding of found) {
    const { remedy } = check;
    if (mode !== 'auto' || remedy === undefined || 'request' in remedy) {
      tally.proposed += 1;
      continue;
    }
    await client.query('begin');
    const after = await query(client, remedy.sql, { ...check.params, ...finding });
    const again = await query(client, check.detect, check.params);
    const isCured =
      after.length <= check.maxRows && again.every((other) => keyOf(check, other) !== keyOf(check, finding));
    if (isCured && check.audit) await query(client, check.audit, describe(check, finding, after[0], order));
    await client.query(isCured ? 'commit' : 'rollback');
    tally[isCured ? 'cured' : 'failed'] += 1;
  }
  return tally;
}

function describe(check: WatchdogCheck, finding: Row, after: Row | undefined, { definition }: WatchdogOrder) {
  const decision = { check: check.name, mode: check.mode, parameters: check.params, dry_run: false, reason: 'found' };
  return {
    ...check.params,
    ...finding,
    ...{ run_id: definition.uuid, definition_id: definition.id, check_name: check.name, mode: check.mode },
    ...{ action: check.action ?? '', finding_key: keyOf(check, finding) },
    ...{ before: JSON.stringify(finding), after: JSON.stringify(after ?? null), decision: JSON.stringify(decision) },
  };
}

const keyOf = (check: WatchdogCheck, row: Row): string => JSON.stringify(check.key.map((column) => row[column]));

async function query(client: pg.Client, { text, parameters }: SqlStatement, values: Record<string, unknown>) {
  const bound = parameters.map((name) => (typeof values[name] === 'number' ? String(values[name]) : values[name]));
  return (await client.query<Row>(text, bound)).rows;
}
