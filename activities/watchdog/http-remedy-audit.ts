import type { ActionRecord } from '../../workflows/contract.ts';
import { CheckError } from './check-error.ts';
import type { Finding, Treatment } from './finding.ts';
import { explainSqlFault } from './sql-fault.ts';
import { sqlRemedyReasons } from './sql-remedy-reasons.ts';
import { findSource } from './sql-remedy-values.ts';

/**
 * Tries the audit of an action and rolls it back, so that a table or a right that is missing is found out while nothing
 * has been done. Does nothing where the check has no audit.
 *
 * @throws what the database says
 */
export async function rehearseAudit(treatment: Treatment, finding: Finding, record: ActionRecord): Promise<void> {
  if (treatment.check.audit === undefined) return;
  try {
    await beginAudit(treatment, finding, record);
  } finally {
    await rollBack(treatment);
  }
}

/**
 * Audits an action that is done, in a transaction of its own. Returns why it could not, where it could not.
 */
export async function writeAudit(
  treatment: Treatment,
  finding: Finding,
  record: ActionRecord,
): Promise<string | undefined> {
  const { client, check } = treatment;
  if (check.audit === undefined) return undefined;
  try {
    await beginAudit(treatment, finding, record);
    await client.query('COMMIT');
    return undefined;
  } catch (error) {
    await rollBack(treatment);
    return explainSqlFault(error) ?? (error instanceof Error ? error.message : String(error));
  }
}

/** A connection that broke has nothing left to roll back. */
async function rollBack({ client }: Treatment): Promise<void> {
  await client.query('ROLLBACK').catch(() => {});
}

async function beginAudit(treatment: Treatment, finding: Finding, record: ActionRecord): Promise<void> {
  const { client, check } = treatment;
  if (check.audit === undefined) return;
  await client.query('BEGIN');
  await client.query(`SET LOCAL statement_timeout = ${Math.max(1, Math.floor(treatment.statementTimeoutMs()))}`);
  const values = check.audit.parameters.map((name) => readValue(name, treatment, finding, record));
  await client.query({ text: check.audit.text, values });
}

function readValue(name: string, treatment: Treatment, { columns }: Finding, record: ActionRecord): string | null {
  const source = findSource('audit', name, treatment, columns);
  if (source === undefined) throw new CheckError(sqlRemedyReasons.unknownName('audit', name));
  switch (source.kind) {
    case 'constant':
      return source.value;
    case 'column':
      return columns.get(source.name) ?? null;
    case 'action':
      return source.name === 'finding_key' ? record.findingKey : record[source.name];
  }
}
