import type pg from 'pg';
import type { ActionOutcome, CheckMode } from '../workflows/contract.ts';
import { isoColumn } from './iso-column.ts';
import { appendJournal } from './journal.ts';
import type { Signature } from './journal.ts';
import { listIds } from './queries.ts';
import { inTransaction } from './revisions.ts';

export const findingStates = ['open', 'quarantined', 'resolved'] as const;

/** One episode of a finding, from the run that saw it first to the one that saw it no more. Times are ISO in UTC. */
export interface FindingEpisode {
  definitionId: string;
  checkName: string;
  /** JSON text: an array of the key's values. */
  key: string;
  state: (typeof findingStates)[number];
  /** What its check was run as when it was seen last. */
  mode: CheckMode;
  openedAt: string;
  openedRun: string;
  lastSeenAt: string;
  lastSeenRun: string;
  seenRuns: number;
  /** In how many runs its remedy failed or did not cure, since it was opened or released. */
  failedRuns: number;
  lastOutcome: ActionOutcome | null;
  lastError: string | null;
  quarantinedAt: string | null;
  resolvedAt: string | null;
  /** `unwatched` where its check is in `block` or gone, or its definition retired: nobody knows whether it is there. */
  resolution: 'cured' | 'vanished' | 'unwatched' | null;
  /** JSON text: the row as it was seen last. */
  detected: string;
}

/** Which findings are meant. A key is its JSON array, in any spacing, or its only value. */
export interface FindingFilter {
  definitionId?: string;
  checkName?: string;
  key?: string;
  states?: readonly FindingEpisode['state'][];
  /** Opened since then. */
  since?: Date;
}

const episodeColumns = `
  definition_id AS "definitionId", check_name AS "checkName", key, state, mode, ${isoColumn('opened_at')} AS "openedAt",
  opened_run AS "openedRun", ${isoColumn('last_seen_at')} AS "lastSeenAt", last_seen_run AS "lastSeenRun",
  seen_runs AS "seenRuns", failed_runs AS "failedRuns", last_outcome AS "lastOutcome", last_error AS "lastError",
  ${isoColumn('quarantined_at')} AS "quarantinedAt", ${isoColumn('resolved_at')} AS "resolvedAt", resolution,
  detected::text AS detected`;

const isMeant = `
  ($1::text[] IS NULL OR definition_id = ANY ($1)) AND ($2::text IS NULL OR check_name = $2)
  AND ($3::text IS NULL OR key = $3 OR key::jsonb = $4::jsonb
    OR (key::jsonb ->> 0 = $3 AND key::jsonb ->> 1 IS NULL))
  AND state = ANY ($5) AND ($6::timestamptz IS NULL OR opened_at >= $6)`;

/** The episodes that are meant, those that were opened last first. */
export async function listFindings(pool: pg.Pool, filter: FindingFilter, limit: number): Promise<FindingEpisode[]> {
  const { rows } = await pool.query<FindingEpisode>(
    `SELECT ${episodeColumns} FROM actcore.findings WHERE ${isMeant} ORDER BY opened_at DESC, id DESC LIMIT $7`,
    [...(await writeFilter(pool, filter)), limit],
  );
  return rows;
}

/** Gives quarantined findings back to their remedies, each an event of the journal; returns those it released. */
export async function releaseFindings(
  pool: pg.Pool,
  filter: FindingFilter & { definitionId: string },
  signature: Signature,
): Promise<FindingEpisode[]> {
  const values = await writeFilter(pool, { ...filter, states: ['quarantined'] });
  const client = await pool.connect();
  try {
    return await inTransaction(client, async () => {
      // No run tells of them meanwhile.
      await client.query(
        `SELECT actcore.lock_watch(definition_uuid) FROM (
           SELECT DISTINCT definition_uuid FROM actcore.findings
           WHERE definition_id = ANY ($1) AND state = 'quarantined' ORDER BY 1) AS concerned`,
        values.slice(0, 1),
      );
      const { rows } = await client.query<FindingEpisode & { name: string }>(
        `UPDATE actcore.findings SET state = 'open', failed_runs = 0, quarantined_at = NULL, quarantined_run = NULL
         WHERE ${isMeant} RETURNING ${episodeColumns}, actcore.name_finding(definition_id, check_name, key) AS name`,
        values,
      );
      const change = { entityType: 'finding', field: 'state', action: 'update' } as const;
      const states = { oldValue: 'quarantined', newValue: 'open' };
      await appendJournal(
        client,
        rows.map(({ name: entityId }) => ({ ...change, entityId, ...states })),
        signature,
      );
      return rows.map(({ name: _name, ...episode }) => episode);
    });
  } finally {
    client.release();
  }
}

async function writeFilter(pool: pg.Pool, filter: FindingFilter): Promise<unknown[]> {
  const { definitionId, checkName, key, states = findingStates, since } = filter;
  const ids = definitionId === undefined ? null : await listIds(pool, definitionId);
  return [ids, checkName ?? null, key ?? null, key === undefined ? null : readArray(key), states, since ?? null];
}

/** What stands on a command line as a key, where it is an array in JSON. */
function readArray(key: string): string | null {
  try {
    return Array.isArray(JSON.parse(key)) ? key : null;
  } catch {
    return null;
  }
}
