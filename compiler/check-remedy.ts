import type { DeclaredVariables } from '../expressions/variables.ts';
import { checkRequest } from './check-request.ts';
import type { CheckSql } from './check-sql.ts';
import { isMapping } from './mapping.ts';
import type { Path, Remark } from './remark.ts';

/** Holds what a check says of its remedy against the remedy that it has: in SQL, as a request, or none. */
export function checkRemedy(
  check: Record<string, unknown>,
  sql: CheckSql,
  path: Path,
  declared: DeclaredVariables,
): Remark[] {
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
  remarks.push(...checkMode(check, sql, path));
  if ((remedy !== undefined || sql.hasRemedy) && check['action'] === undefined) {
    const hint = 'a few words such as `mark as stale`; they stand in the audit';
    remarks.push({ path: [...path, 'action'], message: 'a remedy needs `action`, which says what it does', hint });
  }
  return [...remarks, ...checkStatement(check, sql, path), ...findIdleKeys(check, sql, path)];
}

function checkMode({ mode, remedy }: Record<string, unknown>, sql: CheckSql, path: Path): Remark[] {
  const at = [...path, 'mode'];
  if ((mode === 'auto' || mode === 'sim') && remedy === undefined && !sql.hasRemedy && sql.hasSection) {
    const message = `the mode is ${mode} and there is no remedy`;
    const hint = 'add a block ```sql remedy or `remedy: { http: ... }`, or write `mode: dry_run`';
    return [{ path: at, message, hint }];
  }
  if (mode !== 'sim' || remedy === undefined) return [];
  const message = 'the mode is sim, and a request cannot be rolled back';
  return [{ path: at, message, hint: 'write `mode: dry_run`, or a remedy in SQL' }];
}

const deleting: ReadonlySet<string> = new Set(['DeleteStmt', 'TruncateStmt']);

/** Warns of what a remedy in SQL may do beyond what was meant. */
function checkStatement(check: Record<string, unknown>, { remedy, audit }: CheckSql, path: Path): Remark[] {
  if (!remedy) return [];
  const remarks: Remark[] = [];
  const deletes = [remedy.kind, ...remedy.inner].some((kind) => deleting.has(kind));
  if (check['destructive'] === undefined && deletes) {
    const message = 'this remedy deletes rows and the check does not say whether it is destructive';
    const hint = 'add `destructive: true` (or `false`, where what is deleted can be had again)';
    remarks.push({ path: [...path, 'destructive'], message, hint, isWarning: true });
  }
  if (remedy.lacksWhere) {
    const message = 'the remedy of this check has no WHERE: it would touch every row of the table';
    const hint = 'name the finding, such as `where id = :id`; more rows than `max_rows` are rolled back';
    remarks.push({ path, atKey: true, message, hint, isWarning: true });
  }
  if (remedy.kind === 'DeleteStmt' && audit?.parameters.includes('after') === true) {
    const message =
      'a DELETE leaves nothing after it, and the audit of this check binds `:after`, which is always null';
    remarks.push({ path, atKey: true, message, hint: 'leave `:after` out of the audit', isWarning: true });
  }
  return remarks;
}

/** Keys that say how a remedy is done, where there is none of that kind. */
function findIdleKeys(check: Record<string, unknown>, sql: CheckSql, path: Path): Remark[] {
  if (!sql.hasSection || sql.hasRemedy) return [];
  const [needed, keys] =
    check['remedy'] === undefined
      ? ['a remedy', ['batch', 'max_rows', 'cooldown', 'quarantine_after', 'destructive'] as const]
      : ['a remedy in SQL', ['batch', 'max_rows'] as const];
  return keys.flatMap((key): Remark[] => {
    if (check[key] === undefined || check[key] === false) return [];
    const message = `\`${key}\` has no effect without ${needed}`;
    return [{ path: [...path, key], atKey: true, message, hint: 'remove it', isWarning: true }];
  });
}
