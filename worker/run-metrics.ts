import { ApplicationFailure } from '@temporalio/common';
import { HandOverError } from '../activities/hand-over.ts';
import type { Activities } from '../activities/index.ts';
import type { RunTally } from './run-tally.ts';

type Run = Activities['sweep'];

/** The same activities, whose runs the tally counts. */
export function countRuns(activities: Activities, tally: RunTally): Activities {
  const follow =
    (run: Run): Run =>
    async (order, firing) => {
      tally.inFlight += 1;
      try {
        const report = await run(order, firing);
        tally.count(order.definition.id, report);
        return report;
      } catch (error) {
        const isHandOver = error instanceof ApplicationFailure && error.type === HandOverError.name;
        tally[isHandOver ? 'handedOver' : 'defects'] += 1;
        throw error;
      } finally {
        tally.inFlight -= 1;
      }
    };
  const recordOutcome: Activities['recordOutcome'] = async (order, firing, end, startedAt) => {
    const report = await activities.recordOutcome(order, firing, end, startedAt);
    // The activity that could not write its row has been counted.
    if (end.kind !== 'unrecorded') tally.count(order.definition.id, report);
    return report;
  };
  return { ...activities, sweep: follow(activities.sweep), watchdog: follow(activities.watchdog), recordOutcome };
}
