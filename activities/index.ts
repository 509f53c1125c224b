import { Context } from '@temporalio/activity';
import type { Firing, InferredEnd, Order, RunReport } from '../workflows/contract.ts';
import type { Dependencies } from './dependencies.ts';
import { recordInferredEnd } from './record.ts';
import { conductRun } from './run.ts';
import { sweep } from './sweep.ts';
import { watchdog } from './watchdog/watchdog.ts';

/** The activities of a worker. */
export function createActivities(deps: Dependencies) {
  return {
    /** Runs a definition of kind `sweep` and writes its row; how it ended is the result, never an exception. */
    sweep: (order: Order, firing: Firing): Promise<RunReport> => conductRun(deps, order, firing, sweep),

    /** Runs a definition of kind `watchdog` and writes its row; how it ended is the result, never an exception. */
    watchdog: (order: Order, firing: Firing): Promise<RunReport> => conductRun(deps, order, firing, watchdog),

    /** Writes the row of a run whose activity could not write it. `startedAt` is ISO. */
    recordOutcome: (order: Order, firing: Firing, end: InferredEnd, startedAt: string): Promise<RunReport> =>
      recordInferredEnd(deps, order, firing, end, startedAt),

    /** Pauses the schedule of a definition, with a note that says why. */
    pauseSchedule: async (definitionId: string, note: string): Promise<void> => {
      await Context.current().client.schedule.getHandle(definitionId).pause(note);
    },
  };
}

export type Activities = ReturnType<typeof createActivities>;
