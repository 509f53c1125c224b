import type pg from 'pg';
import { isoColumn } from './iso-column.ts';

/** A source whose work another one has taken over; times are ISO in UTC. */
export interface SourceRetirement {
  source: string;
  successor: string;
  retiredAt: string;
  retiredBy: string;
}

/** Since when a source is not to fire any more; undefined where it may. */
export async function findSourceRetirement(
  db: pg.Pool | pg.ClientBase,
  { definitionUuid, source }: { definitionUuid: string; source: string },
): Promise<SourceRetirement | undefined> {
  const { rows } = await db.query<SourceRetirement>(
    `SELECT source, successor, ${isoColumn('retired_at')} AS "retiredAt", retired_by AS "retiredBy"
     FROM actcore.retired_sources WHERE definition_uuid = $1 AND source = $2 AND reverted_at IS NULL`,
    [definitionUuid, source],
  );
  return rows[0];
}
