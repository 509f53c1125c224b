import type pg from 'pg';
import { isoColumn } from './iso-column.ts';
import { appendJournal } from './journal.ts';
import type { Signature } from './journal.ts';
import { storable } from './storable.ts';

/** A schedule was paused, or went on. Times are ISO in UTC. */
export interface PauseChange {
  definitionId: string;
  /** What the schedule's note says; undefined where it goes on. */
  note: string | undefined;
  /** When, as far as it is known: of what was done on the server by hand, when it was seen first. */
  since: string;
  /** Until when it was certainly not so yet; absent where `since` is exact. */
  notBefore?: string;
}

/** Such a change as the journal has it. */
export interface JournaledPause extends PauseChange {
  /** Who did it; `temporal` where the server does not say who. */
  actor: string;
}

/** Who is said to have done what was done in the Temporal UI or CLI: the server does not say who. */
export const unnamedActor = 'temporal';

const field = 'paused';

/** Keeps in the journal that a schedule was paused or went on; `ingest` where it was only seen, and not done, by the signer. */
export async function journalPause(
  db: pg.ClientBase,
  { definitionId, note, since, notBefore }: PauseChange,
  signature: Signature,
  action: 'update' | 'ingest',
): Promise<void> {
  const newValue = {
    paused: note !== undefined,
    ...(note === undefined ? {} : { note: storable(note) }),
    since,
    ...(notBefore === undefined ? {} : { notBefore }),
  };
  await appendJournal(db, [{ entityType: 'definition', entityId: definitionId, field, action, newValue }], signature);
}

/** All pauses and resumptions of a definition under these ids, in their order. */
export async function listPauses(db: pg.Pool | pg.ClientBase, definitionIds: string[]): Promise<JournaledPause[]> {
  const { rows } = await db.query<{ id: string; actor: string; at: string; value: Record<string, unknown> }>(
    `SELECT entity_id AS id, actor, ${isoColumn('at')} AS at, new_value AS value FROM actcore.journal
     WHERE entity_id = ANY($1) AND entity_type = 'definition' AND field = $2 ORDER BY event_id`,
    [definitionIds, field],
  );
  return rows.map(({ id, actor, at, value }) => ({
    definitionId: id,
    actor,
    note: value['paused'] === true ? asText(value['note']) : undefined,
    since: asText(value['since']) || at,
    ...(value['notBefore'] === undefined ? {} : { notBefore: asText(value['notBefore']) }),
  }));
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
