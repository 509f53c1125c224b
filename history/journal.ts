import type pg from 'pg';
import type { JsonValue } from '../workflows/contract.ts';
import { isoColumn } from './iso-column.ts';
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

/** Which events are asked for; all where it says nothing. */
export interface JournalFilter {
  /** Of a definition: the events of its findings and of its sources are its own as well. */
  entityId?: string;
  /** `definition`, and what else is journaled. */
  entityType?: string;
  since?: Date;
}

const isWanted = `($1::text IS NULL OR entity_id = $1 OR (entity_type = 'finding' AND split_part(entity_id, '/', 1) = $1)
    OR (entity_type = 'source' AND entity_id = ANY(ARRAY(SELECT DISTINCT $1 || '/' || source FROM actcore.retired_sources))))
  AND ($2::text IS NULL OR entity_type = $2) AND ($3::timestamptz IS NULL OR at >= $3)`;

/** The newest events first, of one entity or of all. */
export async function listJournal(
  pool: pg.Pool,
  { limit, ...filter }: JournalFilter & { limit: number },
): Promise<JournalEvent[]> {
  const { rows } = await pool.query<JournalEvent>(
    `SELECT event_id::text AS "eventId", ${isoColumn('at')} AS at,
       entity_type AS "entityType", entity_id AS "entityId", field, action, old_value AS "oldValue",
       new_value AS "newValue", old_value::text AS "oldJson", new_value::text AS "newJson", actor, source, workspace
     FROM actcore.journal
     WHERE ${isWanted} ORDER BY event_id DESC LIMIT $4`,
    [...valuesOf(filter), limit],
  );
  return rows;
}

function valuesOf({ entityId, entityType, since }: JournalFilter): unknown[] {
  return [entityId ?? null, entityType ?? null, since ?? null];
}

/** How many events there are, in all and by what they have in common; the days (UTC) newest first, the rest by count. */
export interface JournalStats {
  events: number;
  byEntityType: { entityType: string; events: number; entities: number }[];
  byAction: { action: FieldChange['action']; events: number }[];
  byActor: { actor: string; events: number; lastAt: string }[];
  byDay: { day: string; events: number }[];
}

/** Counts the events, all of these numbers from one snapshot; `limit` is the most actors and days that are listed. */
export async function countJournal(
  pool: pg.Pool,
  { limit, ...filter }: JournalFilter & { limit: number },
): Promise<JournalStats> {
  const list = (columns: string, key: string, order: string) =>
    `(SELECT coalesce(json_agg(counted), '[]') FROM (
       SELECT ${columns}, count(*) AS events FROM wanted GROUP BY ${key} ORDER BY ${order} LIMIT $4) AS counted)`;
  const day = `to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD')`;
  const { rows } = await pool.query<JournalStats>(
    `WITH wanted AS MATERIALIZED (SELECT entity_type, entity_id, action, actor, at FROM actcore.journal WHERE ${isWanted})
     SELECT (SELECT count(*)::float8 FROM wanted) AS events,
       ${list('entity_type AS "entityType", count(DISTINCT entity_id) AS entities', 'entity_type', 'events DESC, 1')}
         AS "byEntityType",
       ${list('action', 'action', 'events DESC, 1')} AS "byAction",
       ${list(`actor, ${isoColumn('max(at)')} AS "lastAt"`, 'actor', 'events DESC, 1')} AS "byActor",
       ${list(`${day} AS day`, '1', '1 DESC')} AS "byDay"`,
    [...valuesOf(filter), limit],
  );
  const [stats] = rows;
  return stats ?? { events: 0, byEntityType: [], byAction: [], byActor: [], byDay: [] };
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
