import { suggestName } from '../expressions/closest-name.ts';
import { isMapping } from './mapping.ts';
import type { CheckSql } from './check-sql.ts';
import type { Path, Remark } from './remark.ts';

/** The names that a check gives values to, as they were read. */
export function readParams(check: Record<string, unknown>): string[] {
  return isMapping(check['params']) ? Object.keys(check['params']) : [];
}

/** A value that no statement asks for is a misspelled one; a name that SQL cannot hold can never be asked for. */
export function findUnusedParams(sql: CheckSql, params: readonly string[], path: Path): Remark[] {
  const columns = sql.detect?.columns ?? [];
  return params.flatMap((name): Remark[] => {
    const place = { path: [...path, 'params', name], atKey: true };
    if (!/^[A-Za-z_]\w*$/.test(name)) {
      return [{ ...place, message: `\`${name}\` is not a parameter name; allowed: letters, digits and _` }];
    }
    if (columns.includes(name)) {
      const hint = 'give the parameter or the column another name';
      return [{ ...place, message: `\`${name}\` is a column of the detect query too`, hint }];
    }
    // Where a statement could not be read, what it asks for is not known.
    if (!sql.isWhole || sql.used.has(name)) return [];
    return [
      { ...place, message: `no statement of this check uses \`:${name}\``, hint: 'remove it, or use it in the SQL' },
    ];
  });
}

/** The threshold that the audit tells of is the value of a parameter. */
export function checkThreshold(
  { threshold }: Record<string, unknown>,
  params: readonly string[],
  path: Path,
): Remark[] {
  if (typeof threshold !== 'string' || params.includes(threshold)) return [];
  const known = params.length === 0 ? 'this check has none' : `known: ${params.join(', ')}`;
  const message = `\`threshold\` names a parameter, and \`${threshold}\` is none`;
  return [{ path: [...path, 'threshold'], message, hint: suggestName(threshold, params, known) }];
}
