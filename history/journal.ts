import type pg from 'pg';
import type { JsonValue } from '../workflows/contract.ts';
import { storable } from './storable.ts';

/** Who makes a change, by which command, and where. */
export interface Signature {
  actor: string;
  source: string;
  workspace: string;
}

/** One field that changed. `ingest` is for what came from outside and was taken over as it is. */
export interface FieldChange {
  entityType: string;
  entityId: string;
  /** Dotted, such as `budget.max_seconds`. */
  field: string;
  action: 'insert' | 'update' | 'delete' | 'ingest';
  /** Absent where there was none. */
  oldValue?: JsonValue;
  newValue?: JsonValue;
}

/** One event of the journal; the id is text, as it may outgrow a number, `at` is ISO in UTC. */
export interface JournalEvent extends Signature {
  eventId: string;
  at: string;
  entityType: string;
  entityId: string;
  field: string;
  action: FieldChange['action'];
  oldValue: JsonValue;
  newValue: JsonValue;
  /** The same as JSON text, in which large numbers are exact. */
  oldJson: string | null;
  newJson: string | null;
}

/** Appends one event for each change, in their order, on a client whose transaction holds the changes themselves. */
export async function appendJournal(db: pg.ClientBase, changes: FieldChange[], signature: Signature): Promise<void> {
  if (changes.length === 0) return;
  const column = (read: (change: FieldChange) => string | null) => changes.map(read);
  const write = (value: JsonValue | undefined) => (value === undefined ? null : JSON.stringify(value));
  await db.query(
    `INSERT INTO actcore.journal
       (entity_type, entity_id, field, action, old_value, new_value, actor, source, workspace)
     SELECT entity_type, entity_id, field, action, old_value::json, new_value::json, $7, $8, $9
     FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
       WITH ORDINALITY AS change (entity_type, entity_id, field, action, old_value, new_value, place)
     ORDER BY place`,
    [
      ...[column((change) => change.entityType), column((change) => change.entityId)],
      ...[column((change) => storable(change.field)), column((change) => change.action)],
      ...[column((change) => write(change.oldValue)), column((change) => write(change.newValue))],
      ...[storable(signature.actor), signature.source, storable(signature.workspace)],
    ],
  );
}

/** The newest events first, of one entity or of all; those of a definition's findings are its own as well. */
export async function listJournal(
  pool: pg.Pool,
  { entityId, since, limit }: { entityId?: string; since?: Date; limit: number },
): Promise<JournalEvent[]> {
  const { rows } = await pool.query<JournalEvent>(
    `SELECT event_id::text AS "eventId", to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at,
       entity_type AS "entityType", entity_id AS "entityId", field, action, old_value AS "oldValue",
       new_value AS "newValue", old_value::text AS "oldJson", new_value::text AS "newJson", actor, source, workspace
     FROM actcore.journal
     WHERE ($1::text IS NULL OR entity_id = $1 OR (entity_type = 'finding' AND split_part(entity_id, '/', 1) = $1)) AND ($2::timestamptz IS NULL OR at >= $2)
     ORDER BY event_id DESC LIMIT $3`,
    [entityId ?? null, since ?? null, limit],
  );
  return rows;
}

/** Each leaf in which two contents differ, as changes of one entity; a list counts as one leaf. */
export function compareContents(
  entity: Pick<FieldChange, 'entityType' | 'entityId'>,
  before: JsonValue | undefined,
  after: JsonValue | undefined,
  field = '',
): FieldChange[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return [];
  if (isMapping(before) && isMapping(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) =>
      compareContents(entity, before[key], after[key], field === '' ? key : `${field}.${key}`),
    );
  }
  if (before === undefined) return after === undefined ? [] : [{ ...entity, field, action: 'insert', newValue: after }];
  if (after === undefined) return [{ ...entity, field, action: 'delete', oldValue: before }];
  return [{ ...entity, field, action: 'update', oldValue: before, newValue: after }];
}

function isMapping(value: JsonValue | undefined): value is { [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
