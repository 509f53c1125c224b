import type pg from 'pg';
import type { Signature } from '../history/journal.ts';
import { journalPause, unnamedActor } from '../history/pauses.ts';
import type { PauseChange } from '../history/pauses.ts';
import { findRun } from '../history/queries.ts';
import { rememberState } from '../history/schedule-states.ts';
import { inTransaction } from '../history/revisions.ts';
import type { Look } from './look.ts';

/** Keeps what a look at a schedule has shown: its state, and in the journal a pause that nobody has told of. */
export async function rememberLook(
  pool: pg.Pool,
  db: pg.ClientBase,
  uuid: string,
  { state, isSame, pause }: Look,
  now: Date,
  workspace: string,
): Promise<void> {
  const signature: Signature = { actor: unnamedActor, source: 'reconcile', workspace };
  const told = pause && (await refinePause(pool, pause));
  await inTransaction(db, async () => {
    await rememberState(db, uuid, state, { now, isSame });
    if (told !== undefined) await journalPause(db, told, signature, 'ingest');
  });
}

/** How the note of a pause by `on_failure: pause` begins; it names the run, whose end is when it was made. */
const failedRun = /^actcore: run ([0-9a-f-]{36}) ended as /;

async function refinePause(pool: pg.Pool, pause: PauseChange): Promise<PauseChange> {
  const runId = failedRun.exec(pause.note ?? '')?.[1];
  const run = runId === undefined ? undefined : await findRun(pool, runId);
  if (run === undefined || run.finishedAt === null) return pause;
  const { notBefore: _notBefore, ...exact } = pause;
  return { ...exact, since: run.finishedAt };
}
