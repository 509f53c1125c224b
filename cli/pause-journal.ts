import { journalPause } from '../history/pauses.ts';
import type { PauseChange } from '../history/pauses.ts';
import { inTransaction } from '../history/revisions.ts';
import type { Session } from './command.ts';
import { withHistory } from './history-service.ts';
import { Refusal } from './refusal.ts';
import { signAs } from './workspace.ts';

/**
 * Tells the journal of a pause or its end. A history that is away keeps nobody from pausing what does harm: the
 * reconciler sees the pause later, without its exact time.
 */
export async function tellJournal(
  { settings, output }: Pick<Session, 'settings' | 'output'>,
  command: string,
  change: PauseChange,
): Promise<void> {
  try {
    await withHistory(settings, async (pool) => {
      const client = await pool.connect();
      try {
        await inTransaction(client, () => journalPause(client, change, signAs(command, settings), 'update'));
      } finally {
        client.release();
      }
    });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    output.note(`not in the journal: ${error.message}. The reconciler notices the ${command} when it runs next.`);
  }
}
