import { suggestName } from '../expressions/closest-name.ts';
import type { DeclaredVariables } from '../expressions/variables.ts';
import type { SqlStatement } from '../workflows/contract.ts';
import { isMapping } from './mapping.ts';
import { findSectionFaults, readCheckSql } from './check-sql.ts';
import type { CheckSql } from './check-sql.ts';
import { checkThreshold, findUnusedParams, readParams } from './check-params.ts';
import { checkRemedy } from './check-remedy.ts';
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
    const sql = readCheckSql(name, sections, { params, isBatch: check['batch'] === true });
    remarks.push(...sql.remarks, ...findUnusedParams(sql, params, path), ...checkThreshold(check, params, path));
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
