import type { WatchdogCheck } from '../workflows/contract.ts';
import { buildRequest, buildSweep } from './build-sweep.ts';
import type { CompiledSql } from './check-watchdog.ts';
import { hashCheck } from './digest.ts';
import type { SpecificBehaviour } from './digest.ts';
import type { DefinitionKeys } from './schema.ts';

/** What a request sets going takes its time: until then its finding is still there. */
const requestCooldownMs = 300_000;

const usualDebounceMs = 1_000;

type WatchdogKeys = NonNullable<DefinitionKeys['watchdog']>;

/** What only the kind of a definition has; undefined while its section or a statement of it is missing. */
export function buildSpecific(
  { kind, schedule, sweep, watchdog }: DefinitionKeys,
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
  const { listen: channel, debounce: debounceMs = usualDebounceMs } = schedule;
  const listen = channel === undefined ? {} : { listen: { channel, debounceMs } };
  return { kind, watchdog: { database, ...listen, destructiveOk, maxActions, checks } };
}

function buildCheck(name: string, check: WatchdogKeys['checks'][string], sql: CompiledSql): WatchdogCheck {
  const { mode, action, params, threshold, key, limit, batch, destructive = false, remedy: stated } = check;
  const { max_rows: maxRows, cooldown, quarantine_after: quarantineAfter } = check;
  const remedy = sql.remedy ? { sql: sql.remedy } : stated && { request: buildRequest(stated.http.request) };
  const cooldownMs = cooldown ?? (stated === undefined ? 0 : requestCooldownMs);
  const behaviour = {
    ...{ name, params, key: Array.isArray(key) ? key : [key], limit, maxRows, batch, destructive, cooldownMs },
    quarantineAfter,
    ...(action === undefined ? {} : { action }),
    ...(threshold === undefined ? {} : { threshold }),
    detect: sql.detect,
    ...(remedy === undefined ? {} : { remedy }),
    ...(sql.audit === undefined ? {} : { audit: sql.audit }),
  };
  return { ...behaviour, mode, contractHash: hashCheck(behaviour) };
}
