import type { auditParameters } from '../../workflows/contract.ts';
import type { ActionRecord, JsonValue } from '../../workflows/contract.ts';
import type { Finding, Treatment } from './finding.ts';
import { explainSqlFault } from './sql-fault.ts';

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

/** A name may stand for a parameter of the check, for a column of the finding, or for what the audit says of the action. */
function readValue(name: string, { check, ...run }: Treatment, { columns }: Finding, record: ActionRecord): JsonValue {
  if (Object.hasOwn(check.params, name)) return check.params[name] ?? null;
  if (columns.has(name)) return columns.get(name) ?? null;
  switch (name as (typeof auditParameters)[number]) {
    case 'run_id':
      return run.runId;
    case 'definition_id':
      return run.definitionId;
    case 'check_name':
      return record.checkName;
    case 'action':
      return record.action;
    case 'mode':
      return record.mode;
    case 'finding_key':
      return record.findingKey;
    case 'before':
      return record.before;
    case 'after':
      return record.after;
    case 'decision':
      return record.decision;
  }
}
