import type pg from 'pg';
import type { JsonValue } from '../workflows/contract.ts';
import { isoColumn } from './iso-column.ts';
import { appendJournal } from './journal.ts';
import type { FieldChange, Signature } from './journal.ts';
import { inTransaction } from './revisions.ts';
import { storable } from './storable.ts';

/** A source whose work another one has taken over; times are ISO in UTC. */
export interface SourceRetirement {
  source: string;
  successor: string;
  retiredAt: string;
  retiredBy: string;
}

/** A retirement as it is listed, with its end where somebody took it back. */
export interface ListedRetirement extends SourceRetirement {
  definitionUuid: string;
  /** The id that the definition was applied under last; null where the history has lost it. */
  definitionId: string | null;
  revertedAt: string | null;
  revertedBy: string | null;
}

const columns = `source, successor, ${isoColumn('retired_at')} AS "retiredAt", retired_by AS "retiredBy"`;

/** Since when a source is not to fire any more; undefined where it may. */
export async function findSourceRetirement(
  db: pg.Pool | pg.ClientBase,
  { definitionUuid, source }: { definitionUuid: string; source: string },
): Promise<SourceRetirement | undefined> {
  const { rows } = await db.query<SourceRetirement>(
    `SELECT ${columns}
     FROM actcore.retired_sources WHERE definition_uuid = $1 AND source = $2 AND reverted_at IS NULL`,
    [definitionUuid, source],
  );
  return rows[0];
}

/** Every retirement of one definition or of all, those that were taken back as well, the newest first. */
export async function listSourceRetirements(
  db: pg.Pool | pg.ClientBase,
  definitionUuid?: string,
): Promise<ListedRetirement[]> {
  const { rows } = await db.query<ListedRetirement>(
    `SELECT ${columns}, definition_uuid AS "definitionUuid",
       (SELECT id FROM actcore.definitions WHERE uuid = definition_uuid) AS "definitionId",
       ${isoColumn('reverted_at')} AS "revertedAt", reverted_by AS "revertedBy"
     FROM actcore.retired_sources
     WHERE $1::uuid IS NULL OR definition_uuid = $1
     ORDER BY retired_at DESC, source`,
    [definitionUuid ?? null],
  );
  return rows;
}

/** Who retires what, and on which grounds. */
export interface RetirementGrounds {
  definitionUuid: string;
  definitionId: string;
  source: string;
  successor: string;
  /** The check with its figures. */
  evidence: { [key: string]: JsonValue };
  /** What the operator says; it has to be there where the evidence is against it. */
  reason: string | undefined;
}

/** Retires a source, in the table and in the journal at once; false where it already was, and then nothing is changed. */
export async function recordSourceRetirement(
  db: pg.ClientBase,
  { definitionUuid, definitionId, source, successor, evidence, reason }: RetirementGrounds,
  signature: Signature,
): Promise<boolean> {
  return inTransaction(db, async () => {
    const grounds = { ...evidence, ...(reason === undefined ? {} : { reason: storable(reason) }) };
    const { rowCount } = await db.query(
      `INSERT INTO actcore.retired_sources (definition_uuid, source, retired_by, successor, evidence)
       VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (definition_uuid, source) WHERE reverted_at IS NULL DO NOTHING`,
      [definitionUuid, source, storable(signature.actor), successor, JSON.stringify(grounds)],
    );
    if (rowCount !== 1) return false;
    const newValue = { successor, evidence: grounds };
    await appendJournal(db, [{ ...switchOf(definitionId, source), oldValue: null, newValue }], signature);
    return true;
  });
}

/** Lets a retired source fire again; undefined where it is not retired, and then nothing is changed. */
export async function recordSourceReturn(
  db: pg.ClientBase,
  { definitionUuid, definitionId, source }: Pick<RetirementGrounds, 'definitionUuid' | 'definitionId' | 'source'>,
  reason: string | undefined,
  signature: Signature,
): Promise<SourceRetirement | undefined> {
  return inTransaction(db, async () => {
    const { rows } = await db.query<SourceRetirement>(
      `UPDATE actcore.retired_sources SET reverted_at = now(), reverted_by = $3
       WHERE definition_uuid = $1 AND source = $2 AND reverted_at IS NULL
       RETURNING ${columns}`,
      [definitionUuid, source, storable(signature.actor)],
    );
    const [retired] = rows;
    if (retired === undefined) return undefined;
    const { successor, retiredAt, retiredBy } = retired;
    const change: FieldChange = {
      ...switchOf(definitionId, source),
      oldValue: { successor, at: retiredAt, by: retiredBy },
      newValue: reason === undefined ? null : { reason: storable(reason) },
    };
    await appendJournal(db, [change], signature);
    return retired;
  });
}

function switchOf(
  definitionId: string,
  source: string,
): Pick<FieldChange, 'entityType' | 'entityId' | 'field' | 'action'> {
  return { entityType: 'source', entityId: `${definitionId}/${source}`, field: 'retired', action: 'update' };
}
