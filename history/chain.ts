import type pg from 'pg';

/** A definition as the history knows it. Times are ISO in UTC. */
export interface KnownDefinition {
  uuid: string;
  id: string;
  enabled: boolean;
  revision: string;
  appliedAt: string;
  retiredAt: string | null;
  retiredBy: string | null;
  retiredReason: string | null;
}

/** One content that a definition had. */
export interface Revision {
  revision: string;
  /** The id that the definition had then. */
  id: string;
  contractHash: string;
  parent: string | null;
  file: string;
  text: string;
  /** 0 while it is kept and not known to have reached the server. */
  appliedCount: number;
  firstAppliedAt: string | null;
  lastAppliedAt: string | null;
  actor: string;
}

/** The revisions of a definition, from the root to what was applied last, and those beside that line. */
export interface Chain {
  chain: Revision[];
  /** Superseded when somebody went back behind them, or never applied. */
  aside: Revision[];
  /** Why the chain has no root; absent where it has one. */
  fault?: string;
}

const iso = (column: string) => `to_char(${column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`;

const definitionColumns = `
  uuid, id, enabled, revision, ${iso('applied_at')} AS "appliedAt", ${iso('retired_at')} AS "retiredAt",
  retired_by AS "retiredBy", retired_reason AS "retiredReason"`;

/** The definition that was applied last under this id. */
export async function findDefinition(db: pg.Pool | pg.ClientBase, id: string): Promise<KnownDefinition | undefined> {
  const { rows } = await db.query<KnownDefinition>(
    `SELECT ${definitionColumns} FROM actcore.definitions WHERE id = $1 ORDER BY applied_at DESC, uuid LIMIT 1`,
    [id],
  );
  return rows[0];
}

/** The definition that had this id before it moved, for whoever still calls it by that. */
export async function findMovedDefinition(
  db: pg.Pool | pg.ClientBase,
  formerId: string,
): Promise<KnownDefinition | undefined> {
  const { rows } = await db.query<KnownDefinition>(
    `SELECT ${definitionColumns} FROM actcore.definitions WHERE uuid = (
       SELECT definition_uuid FROM actcore.revisions WHERE content ->> 'id' = $1 AND applied_count > 0
       ORDER BY last_applied_at DESC LIMIT 1)`,
    [formerId],
  );
  return rows[0];
}

/** All that are retired; there are few. */
export async function listRetired(db: pg.Pool | pg.ClientBase): Promise<KnownDefinition[]> {
  const { rows } = await db.query<KnownDefinition>(
    `SELECT ${definitionColumns} FROM actcore.definitions WHERE retired_at IS NOT NULL ORDER BY id`,
  );
  return rows;
}

/** Every revision of a definition, the oldest first. */
export async function listRevisions(pool: pg.Pool, uuid: string): Promise<Revision[]> {
  const { rows } = await pool.query<Revision>(
    `SELECT revision, content ->> 'id' AS id, contract_hash AS "contractHash", parent, file, text, applied_count AS "appliedCount",
       ${iso('first_applied_at')} AS "firstAppliedAt", ${iso('last_applied_at')} AS "lastAppliedAt", actor
     FROM actcore.revisions WHERE definition_uuid = $1 ORDER BY coalesce(first_applied_at, kept_at), revision`,
    [uuid],
  );
  return rows;
}

/**
 * Walks from the revision that was applied last back to the root. A chain that somebody bent into a ring, or cut, by
 * hand ends where it would repeat itself or where its parent is not there, and says so.
 */
export function walkChain(revisions: readonly Revision[], tip: string): Chain {
  const known = new Map(revisions.map((revision) => [revision.revision, revision]));
  const walked = new Map<string, Revision>();
  let fault: string | undefined;
  for (let next: string | null = tip; next !== null;) {
    const revision = known.get(next);
    if (revision === undefined || walked.has(next)) {
      fault = revision === undefined ? `the revision ${next} is not in the history` : `${next} is its own ancestor`;
      break;
    }
    walked.set(next, revision);
    next = revision.parent;
  }
  const aside = revisions.filter(({ revision }) => !walked.has(revision));
  return { chain: [...walked.values()].reverse(), aside, ...(fault === undefined ? {} : { fault }) };
}
