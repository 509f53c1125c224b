import type pg from 'pg';
import type { KnownDefinition } from './chain.ts';
import { appendJournal } from './journal.ts';
import type { FieldChange, Signature } from './journal.ts';
import { inTransaction } from './revisions.ts';
import { storable } from './storable.ts';

/** What is retired: its row is made where the history has none, as for what an older version applied. */
export interface RetiredDefinition {
  uuid: string;
  id: string;
  enabled: boolean;
  revision: string;
}

/** Retires a definition, and closes its findings; false where it already was, and then nothing is changed. */
export async function recordRetirement(
  db: pg.ClientBase,
  definition: RetiredDefinition,
  reason: string,
  signature: Signature,
): Promise<boolean> {
  return inTransaction(db, async () => {
    const { uuid, id, enabled, revision } = definition;
    const { rowCount } = await db.query(
      `INSERT INTO actcore.definitions AS known (uuid, id, enabled, revision, retired_at, retired_by, retired_reason)
       VALUES ($1, $2, $3, $4, now(), $5, $6)
       ON CONFLICT (uuid) DO UPDATE SET
         retired_at = excluded.retired_at, retired_by = excluded.retired_by, retired_reason = excluded.retired_reason
       WHERE known.retired_at IS NULL`,
      [uuid, id, enabled, revision, storable(signature.actor), storable(reason)],
    );
    if (rowCount !== 1) return false;
    await db.query('SELECT actcore.lock_watch($1)', [uuid]);
    await db.query(
      `UPDATE actcore.findings SET state = 'resolved', quarantined_at = NULL, quarantined_run = NULL,
         resolved_at = now(), resolved_run = last_seen_run, resolution = 'unwatched'
       WHERE definition_uuid = $1 AND state <> 'resolved'`,
      [uuid],
    );
    await appendJournal(db, [{ ...switchOf(id), oldValue: null, newValue: { reason: storable(reason) } }], signature);
    return true;
  });
}

/** Takes a retired definition up again. */
export async function recordReturn(db: pg.ClientBase, retired: KnownDefinition, signature: Signature): Promise<void> {
  await inTransaction(db, async () => {
    const { rowCount } = await db.query(
      `UPDATE actcore.definitions SET retired_at = NULL, retired_by = NULL, retired_reason = NULL
       WHERE uuid = $1 AND retired_at IS NOT NULL`,
      [retired.uuid],
    );
    if (rowCount !== 1) return;
    const oldValue = { reason: retired.retiredReason, by: retired.retiredBy, at: retired.retiredAt };
    await appendJournal(db, [{ ...switchOf(retired.id), oldValue, newValue: null }], signature);
  });
}

function switchOf(id: string): Pick<FieldChange, 'entityType' | 'entityId' | 'field' | 'action'> {
  return { entityType: 'definition', entityId: id, field: 'retired', action: 'update' };
}
