import { log } from '@temporalio/activity';
import { awaitAtMost } from '../patience.ts';

/** How a run talks to the history: one that did not answer once is not asked again, so that it costs its run a few seconds. */
export interface HistoryLine {
  /** False once the history did not answer. */
  isThere(): boolean;
  /** What a question gives; undefined where the history is away. */
  ask<Answer>(question: () => Promise<Answer>, patienceMs?: number): Promise<Answer | undefined>;
}

/** A history that is slower counts as away. */
const usualPatienceMs = 4_000;

/** A line on which nothing has been said. */
export function openHistoryLine(): HistoryLine {
  let isThere = true;
  return {
    isThere: () => isThere,
    async ask(question, patienceMs = usualPatienceMs) {
      if (!isThere) return undefined;
      try {
        const answering = question().then((answer) => ({ answer }));
        const answered = await awaitAtMost(patienceMs, answering);
        if (answered !== undefined) return answered.answer;
      } catch (error) {
        log.warn('The history cannot be asked; the watchdog goes on without it', { error });
      }
      isThere = false;
      return undefined;
    },
  };
}
