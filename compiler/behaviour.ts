import type { WatchdogCheck } from '../workflows/contract.ts';
import { buildRequest, buildSweep } from './build-sweep.ts';
import type { CompiledSql } from './check-watchdog.ts';
import type { SpecificBehaviour } from './digest.ts';
import type { DefinitionKeys } from './schema.ts';

type WatchdogKeys = NonNullable<DefinitionKeys['watchdog']>;

/** What only the kind of a definition has; undefined while its section or a statement of it is missing. */
export function buildSpecific(
  { kind, sweep, watchdog }: DefinitionKeys,
  statements: ReadonlyMap<string, CompiledSql>,
): SpecificBehaviour | undefined {
  if (kind === 'sweep') return sweep && { kind, sweep: buildSweep(sweep) };
  if (!watchdog) return undefined;
  const checks = Object.entries(watchdog.checks).flatMap(([name, check]) => {
    const sql = statements.get(name);
    return sql ? [buildCheck(name, check, sql)] : [];
  });
  if (checks.length < Object.keys(watchdog.checks).length) return undefined;
  const { database, destructive_ok: destructiveOk, max_actions: maxActions } = watchdog;
  return { kind, watchdog: { database, destructiveOk, maxActions, checks } };
}

function buildCheck(name: string, check: WatchdogKeys['checks'][string], sql: CompiledSql): WatchdogCheck {
  const { mode, action, params, key, limit, batch = 1, destructive = false, remedy: stated } = check;
  const remedy = sql.remedy ? { sql: sql.remedy } : stated && { request: buildRequest(stated.http.request) };
  return {
    ...{ name, mode, params, key: Array.isArray(key) ? key : [key], limit, batch, destructive },
    ...(action === undefined ? {} : { action }),
    detect: sql.detect,
    ...(remedy === undefined ? {} : { remedy }),
    ...(sql.audit === undefined ? {} : { audit: sql.audit }),
  };
}
