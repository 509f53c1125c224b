import type pg from 'pg';
import { isoColumn } from './iso-column.ts';

/** A definition that may be expected to fire; times are ISO. */
export interface TrackedDefinition {
  uuid: string;
  /** The id that was applied last. */
  id: string;
  /** That one, and those that it had before. */
  ids: string[];
}

/** Something that changed what was in force. */
export type InForceEvent = { at: string } & (
  { kind: 'revision'; revision: string } | { kind: 'removed' } | { kind: 'retired' } | { kind: 'returned' }
);

/** The definitions that the history knows, all or those that have or had an id. */
export async function listTracked(db: pg.Pool | pg.ClientBase, id?: string): Promise<TrackedDefinition[]> {
  const { rows } = await db.query<TrackedDefinition>(
    `SELECT uuid, id, (
         SELECT array_agg(DISTINCT known_id) FROM (
           SELECT known.id UNION ALL
           SELECT content ->> 'id' FROM actcore.revisions WHERE definition_uuid = known.uuid) AS ids (known_id)
       ) AS ids
     FROM actcore.definitions AS known
     WHERE $1::text IS NULL OR uuid = (
       SELECT uuid FROM actcore.definitions WHERE id = $1 ORDER BY applied_at DESC, uuid LIMIT 1)
     ORDER BY id, uuid`,
    [id ?? null],
  );
  return rows;
}

/** The first tick (ISO) that each of these outside sources has reported itself; those that never did are not in it. */
export async function findFirstReports(
  db: pg.Pool | pg.ClientBase,
  { uuid, ids }: Pick<TrackedDefinition, 'uuid' | 'ids'>,
  sources: string[],
): Promise<Map<string, string>> {
  const { rows } = await db.query<{ source: string; first: string }>(
    `SELECT source, (SELECT ${isoColumn('scheduled_at')} FROM actcore.runs
       WHERE definition_id = ANY($2) AND definition_uuid = $1 AND runs.source = wanted.source AND standing >= 0
       ORDER BY scheduled_at LIMIT 1) AS first
     FROM unnest($3::text[]) AS wanted (source)`,
    [uuid, ids, sources],
  );
  return new Map(rows.flatMap(({ source, first }) => (first === null ? [] : [[source, first] as const])));
}

/** How many characters of a revision stand where there is no room for all of it. */
const shortRevision = 12;

/** The revisions, cut short, of other definitions that have one of these ids now: what runs by them is not this one's. */
export async function listForeignRevisions(
  db: pg.Pool | pg.ClientBase,
  { uuid, ids }: Pick<TrackedDefinition, 'uuid' | 'ids'>,
): Promise<Set<string>> {
  const { rows } = await db.query<{ revision: string }>(
    `SELECT left(kept.revision, ${shortRevision}) AS revision
     FROM actcore.definitions AS other JOIN actcore.revisions AS kept ON definition_uuid = other.uuid
     WHERE other.id = ANY($2) AND other.uuid <> $1`,
    [uuid, ids],
  );
  return new Set(rows.map(({ revision }) => revision));
}

interface JournaledEvent {
  id: string;
  at: string;
  field: 'revision' | 'schedule' | 'retired';
  value: unknown;
  isOwn: boolean;
}

/**
 * What the journal says of a definition's revisions, its removal and its retirement, in order. Another definition that takes
 * its id ends it; what befalls an id that another one has by then is not told.
 */
export async function listInForceEvents(
  db: pg.Pool | pg.ClientBase,
  { uuid, ids }: Pick<TrackedDefinition, 'uuid' | 'ids'>,
): Promise<InForceEvent[]> {
  const { rows } = await db.query<JournaledEvent>(
    `SELECT entity_id AS id, ${isoColumn('at')} AS at, field, new_value AS value, field = 'revision' AND new_value #>> '{}' IN (
         SELECT revision FROM actcore.revisions WHERE definition_uuid = $1) AS "isOwn"
     FROM actcore.journal
     WHERE entity_id = ANY($2) AND entity_type = 'definition'
       AND (field IN ('revision', 'retired') OR (field = 'schedule' AND action = 'delete'))
     ORDER BY event_id`,
    [uuid, ids],
  );
  const taken = new Set<string>();
  let current: string | undefined;
  return rows.flatMap(({ id, at, field, value, isOwn }): InForceEvent[] => {
    if (field !== 'revision') return taken.has(id) ? [] : [{ at, kind: readSwitch(field, value) }];
    if (isOwn) {
      taken.delete(id);
      current = id;
      return [{ at, kind: 'revision', revision: String(value) }];
    }
    taken.add(id);
    if (id !== current) return [];
    current = undefined;
    return [{ at, kind: 'removed' }];
  });
}

function readSwitch(field: 'schedule' | 'retired', value: unknown): 'removed' | 'returned' | 'retired' {
  if (field === 'schedule') return 'removed';
  return value === null ? 'returned' : 'retired';
}

/** The kept files of revisions, by their hash. */
export async function readRevisionTexts(
  db: pg.Pool | pg.ClientBase,
  uuid: string,
  revisions: string[],
): Promise<Map<string, { file: string; text: string }>> {
  const { rows } = await db.query<{ revision: string; file: string; text: string }>(
    'SELECT revision, file, text FROM actcore.revisions WHERE definition_uuid = $1 AND revision = ANY($2)',
    [uuid, revisions],
  );
  return new Map(rows.map(({ revision, file, text }) => [revision, { file, text }]));
}
