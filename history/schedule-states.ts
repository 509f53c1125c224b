import type pg from 'pg';
import type { Cadence } from '../workflows/contract.ts';
import { isoColumn } from './iso-column.ts';
import { storable } from './storable.ts';

/** What the server was seen to have of a definition. */
export interface ScheduleState {
  scheduleId: string;
  /** ISO: when the server says that the schedule was made or changed last. */
  since: string;
  revision: string;
  enabled: boolean;
  cadence: Cadence;
  /** By hand or by a failed run; what is off by its definition is not paused. */
  paused: boolean;
  note: string | undefined;
  /** The server's counters: ticks that came later than the catch-up window, and those skipped for overlap. */
  missedCatchup: number;
  skippedOverlap: number;
}

/** A state with the first and the last time that it was seen (ISO). */
export interface SeenState extends ScheduleState {
  firstSeen: string;
  lastSeen: string;
}

/** The states of a definition that were seen since a time, and the one before, the oldest first. */
export async function listStates(db: pg.Pool | pg.ClientBase, uuid: string, since: Date): Promise<SeenState[]> {
  const { rows } = await db.query<SeenState>(
    `SELECT schedule_id AS "scheduleId", ${isoColumn('first_seen')} AS "firstSeen", ${isoColumn('last_seen')} AS "lastSeen",
       ${isoColumn('since')} AS since, revision, enabled, cadence, paused, note,
       missed_catchup::float8 AS "missedCatchup", skipped_overlap::float8 AS "skippedOverlap"
     FROM actcore.schedule_states WHERE definition_uuid = $1 AND first_seen >= coalesce(
       (SELECT max(first_seen) FROM actcore.schedule_states WHERE definition_uuid = $1 AND first_seen < $2), $2)
     ORDER BY first_seen`,
    [uuid, since],
  );
  return rows.map((row) => ({ ...row, note: row.note ?? undefined }));
}

/** When all schedules were looked at last; undefined before the first time. */
export async function findLastLook(db: pg.Pool | pg.ClientBase): Promise<Date | undefined> {
  const { rows } = await db.query<{ at: Date | null }>('SELECT max(last_seen) AS at FROM actcore.schedule_states');
  return rows[0]?.at ?? undefined;
}

/** The ids of schedules that were paused when they were looked at last. */
export async function listPausedIds(db: pg.Pool | pg.ClientBase): Promise<Set<string>> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM (
       SELECT DISTINCT ON (definition_uuid) schedule_id AS id, paused FROM actcore.schedule_states
       ORDER BY definition_uuid, first_seen DESC) AS last WHERE paused`,
  );
  return new Set(rows.map(({ id }) => id));
}

/** Remembers what was seen now: the state before lasts on where it is the same but for its counters. */
export async function rememberState(
  db: pg.ClientBase,
  uuid: string,
  state: ScheduleState,
  { now, isSame }: { now: Date; isSame: boolean },
): Promise<void> {
  const counters = [state.missedCatchup, state.skippedOverlap];
  if (isSame) {
    await db.query(
      `UPDATE actcore.schedule_states SET last_seen = $2, missed_catchup = $3, skipped_overlap = $4
       WHERE definition_uuid = $1 AND first_seen = (
         SELECT max(first_seen) FROM actcore.schedule_states WHERE definition_uuid = $1) AND last_seen < $2`,
      [uuid, now, ...counters],
    );
    return;
  }
  const { scheduleId, since, revision, enabled, cadence, paused, note } = state;
  await db.query(
    `INSERT INTO actcore.schedule_states (definition_uuid, first_seen, last_seen, schedule_id, since, revision, enabled,
       cadence, paused, note, missed_catchup, skipped_overlap)
     VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING`,
    [
      ...[uuid, now, scheduleId, since, revision, enabled, JSON.stringify(cadence), paused],
      ...[note === undefined ? null : storable(note), ...counters],
    ],
  );
}
