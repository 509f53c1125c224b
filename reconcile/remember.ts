import type pg from 'pg';
import { journalPause } from '../history/pauses.ts';
import { findRun } from '../history/queries.ts';
import { inTransaction } from '../history/revisions.ts';
import { rememberState } from '../history/schedule-states.ts';
import type { Look } from './look.ts';

/** Keeps what a look at a schedule has shown: its state, and in the journal a pause that nobody has told of. */
export async function rememberLook(
  db: pg.ClientBase,
  uuid: string,
  { state, isSame, pause }: Look,
  now: Date,
  workspace: string,
): Promise<void> {
  await inTransaction(db, async () => {
    await rememberState(db, uuid, state, { now, isSame });
    if (pause === undefined) return;
    const { actor, ...change } = pause;
    await journalPause(db, change, { actor, source: 'reconcile', workspace }, 'ingest');
  });
}

/** How the note of a pause by `on_failure: pause` begins; it names the run, whose end is when it was made. */
const failedRun = /^actcore: run ([0-9a-f-]{36}) ended as /;
const failureActor = 'on_failure: pause';

/** The look with what the history knows of a pause that a failed run made: when, and that nobody else did. */
export async function refineLook(pool: pg.Pool, look: Look): Promise<Look> {
  const { pause } = look;
  const runId = failedRun.exec(pause?.note ?? '')?.[1];
  const run = runId === undefined ? undefined : await findRun(pool, runId);
  if (pause === undefined || run === undefined || run.finishedAt === null) return look;
  const { notBefore: _notBefore, ...exact } = pause;
  return { ...look, pause: { ...exact, since: run.finishedAt, actor: failureActor } };
}
