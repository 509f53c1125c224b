import { suggestName } from '../expressions/closest-name.ts';
import type { DeclaredVariables } from '../expressions/variables.ts';
import type { SqlStatement } from '../workflows/contract.ts';
import { checkRequest } from './check-request.ts';
import { isMapping } from './mapping.ts';
import { findSectionFaults, readCheckSql } from './check-sql.ts';
import type { CheckSql } from './check-sql.ts';
import { findUnusedParams, readParams } from './check-params.ts';
import type { Path, Remark } from './remark.ts';
import type { RunbookSection } from './runbook.ts';

/** The statements of one check, ready to be bound. */
export interface CompiledSql {
  detect: SqlStatement;
  remedy?: SqlStatement;
  audit?: SqlStatement;
}

const nameForm = /^[a-z][a-z0-9]*([-_][a-z0-9]+)*$/;

/** Fits the checks of a watchdog, as they were read, to the SQL that stands in the prose. */
export function checkWatchdog(
  data: Record<string, unknown>,
  sections: readonly RunbookSection[],
  declared: DeclaredVariables,
): { remarks: Remark[]; statements: Map<string, CompiledSql> } {
  const statements = new Map<string, CompiledSql>();
  const watchdog = data['watchdog'];
  const checks = isMapping(watchdog) ? watchdog['checks'] : undefined;
  if (!isMapping(checks)) return { remarks: [], statements };
  const remarks = findSectionFaults(sections, Object.keys(checks));
  for (const [name, check] of Object.entries(checks)) {
    const path = ['watchdog', 'checks', name];
    if (!nameForm.test(name)) {
      const message = `\`${name}\` is not the name of a check; expected lower case such as stale-workplans`;
      remarks.push({ path, atKey: true, message });
    }
    if (!isMapping(check)) continue;
    const params = readParams(check);
    const sql = readCheckSql(name, sections, params);
    remarks.push(...sql.remarks, ...findUnusedParams(sql, params, path));
    remarks.push(...checkKeys(check, sql, path), ...checkRemedy(check, sql, path, declared));
    if (!sql.detect) continue;
    const { detect, remedy, audit } = sql;
    const bind = ({ text, parameters, returnsRows }: SqlStatement): SqlStatement => ({ text, parameters, returnsRows });
    statements.set(name, {
      detect: bind(detect),
      ...(remedy === undefined ? {} : { remedy: bind(remedy) }),
      ...(audit === undefined ? {} : { audit: bind(audit) }),
    });
  }
  return { remarks, statements };
}

/** A finding is told apart by columns that the detect query gives. */
function checkKeys(check: Record<string, unknown>, { detect }: CheckSql, path: Path): Remark[] {
  const columns = detect?.columns;
  if (!columns) return [];
  const { key } = check;
  const listed: { name: unknown; at: Path }[] = Array.isArray(key)
    ? key.map((name: unknown, index) => ({ name, at: [...path, 'key', index] }))
    : [{ name: key, at: [...path, 'key'] }];
  return listed.flatMap(({ name, at }) => {
    if (typeof name !== 'string' || columns.includes(name)) return [];
    const hint = suggestName(name, columns, `it gives ${columns.join(', ')}`);
    return [{ path: at, message: `the detect query gives no column \`${name}\``, hint }];
  });
}

const deleting: ReadonlySet<string> = new Set(['DeleteStmt', 'TruncateStmt']);

function checkRemedy(check: Record<string, unknown>, sql: CheckSql, path: Path, declared: DeclaredVariables): Remark[] {
  const remarks: Remark[] = [];
  const remedy = check['remedy'];
  const http = isMapping(remedy) && isMapping(remedy['http']) ? remedy['http'] : undefined;
  const request = http?.['request'];
  if (isMapping(request)) {
    const finding = sql.detect?.columns ?? 'any';
    remarks.push(...checkRequest(request, [...path, 'remedy', 'http', 'request'], { ...declared, finding }));
  }
  if (remedy !== undefined && sql.hasRemedy) {
    const message = 'this check has a remedy here and another in SQL in its section';
    remarks.push({ path: [...path, 'remedy'], atKey: true, message, hint: 'keep one' });
  }
  const hasRemedy = remedy !== undefined || sql.hasRemedy;
  const { mode, action } = check;
  if ((mode === 'auto' || mode === 'sim') && !hasRemedy && sql.hasSection) {
    const message = `the mode is ${mode} and there is no remedy`;
    const hint = 'add a block ```sql remedy or `remedy: { http: ... }`, or write `mode: dry_run`';
    remarks.push({ path: [...path, 'mode'], message, hint });
  }
  if (mode === 'sim' && remedy !== undefined) {
    const message = 'the mode is sim, and a request cannot be rolled back';
    remarks.push({ path: [...path, 'mode'], message, hint: 'write `mode: dry_run`, or a remedy in SQL' });
  }
  if (hasRemedy && action === undefined) {
    const hint = 'a few words such as `mark as stale`; they stand in the audit';
    remarks.push({ path: [...path, 'action'], message: 'a remedy needs `action`, which says what it does', hint });
  }
  if (
    sql.remedy &&
    check['destructive'] === undefined &&
    [sql.remedy.kind, ...sql.remedy.inner].some((kind) => deleting.has(kind))
  ) {
    const message = 'this remedy deletes rows and the check does not say whether it is destructive';
    const hint = 'add `destructive: true` (or `false`, where what is deleted can be had again)';
    remarks.push({ path: [...path, 'destructive'], message, hint, isWarning: true });
  }
  return remarks;
}
