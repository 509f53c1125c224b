import type pg from 'pg';
import { isoColumn } from './iso-column.ts';
import type { Cooldown, KnownFinding } from './watch-ledger.ts';

/** An action that may have changed something, as against one that was proposed or rolled back on purpose. */
const wasActed = "action.mode = 'auto' AND action.outcome <> 'proposed'";

const knownFindings = `
  SELECT check_name AS "checkName", key, state, ${isoColumn('opened_at')} AS "openedAt", failed_runs AS "failedRuns",
    ${isoColumn('acted.at')} AS "lastActionAt"
  FROM actcore.findings AS finding
  LEFT JOIN LATERAL (
    SELECT action.at FROM actcore.actions AS action JOIN actcore.action_batches AS batch ON batch.id = batch_id
    WHERE action.definition_uuid = $1 AND action.check_name = finding.check_name
      AND md5(finding_key) = md5(finding.key) AND finding_key = finding.key AND ${wasActed} AND fate <> 'aborted'
    ORDER BY action.at DESC LIMIT 1) AS acted ON true
  WHERE finding.definition_uuid = $1 AND state <> 'resolved'`;

/** What was acted on is left alone also when it was cured and comes back, or its run ended before it could tell of it. */
const coolingSince = `
  SELECT action.check_name, finding_key, 'open', ${isoColumn('max(action.at)')}, 0, ${isoColumn('max(action.at)')}
  FROM unnest($2::text[], $3::float8[]) AS cooling (check_name, ms)
  JOIN actcore.action_batches AS batch ON batch.definition_uuid = $1 AND fate <> 'aborted'
    AND prepared_at > now() - cooling.ms * interval '1 millisecond'
  JOIN actcore.actions AS action ON action.run_id = batch.run_id AND batch_id = batch.id
    AND action.check_name = cooling.check_name AND ${wasActed}
  WHERE NOT EXISTS (
      SELECT FROM actcore.findings AS finding WHERE finding.definition_uuid = $1
        AND finding.check_name = action.check_name AND md5(key) = md5(finding_key) AND key = finding_key
        AND state <> 'resolved')
  GROUP BY action.check_name, finding_key`;

/** The findings that a run has to know of before it acts; see `WatchLedger.readFindings`. */
export async function readKnownFindings(
  pool: pg.Pool,
  definitionUuid: string,
  cooldowns: Cooldown[],
): Promise<KnownFinding[]> {
  const cooling = cooldowns.filter(({ cooldownMs }) => cooldownMs > 0);
  const { rows } = await pool.query<KnownFinding & { lastActionAt: string | null }>(
    `${knownFindings} UNION ALL ${coolingSince}`,
    [definitionUuid, cooling.map(({ checkName }) => checkName), cooling.map(({ cooldownMs }) => cooldownMs)],
  );
  return rows.map(({ lastActionAt, ...known }) => (lastActionAt === null ? known : { ...known, lastActionAt }));
}
