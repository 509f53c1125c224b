import type { Client } from '@temporalio/client';
import { retiredNotePrefix } from '../schedules/desired.ts';
import { observeSchedule } from '../schedules/observe.ts';
import type { ObservedSchedule } from '../schedules/observe.ts';
import { searchAttributes } from '../workflows/contract.ts';
import type { Order } from '../workflows/contract.ts';
import { Refusal } from './refusal.ts';

/** A schedule that was made from a definition. */
export type OwnSchedule = ObservedSchedule & { order: Order };

/** The schedule of a definition; refuses where the server has none, or one that is not ours. */
export async function requireSchedule(client: Client, id: string): Promise<OwnSchedule> {
  const schedule = await observeSchedule(client, id);
  if (schedule === undefined) {
    throw new Refusal(`The server has no schedule ${id}`, 'actcore list shows those it has; actcore apply makes them.');
  }
  if (!schedule.isOurs) {
    throw new Refusal(
      `The schedule ${id} was not made by actcore`,
      'It is left alone; use the Temporal UI or CLI for it.',
    );
  }
  if (schedule.order === undefined) {
    throw new Refusal(
      `Somebody replaced the arguments of the schedule ${id} on the server`,
      'actcore plan shows what was changed; actcore apply --repair puts it back.',
    );
  }
  return { ...schedule, order: schedule.order };
}

/** Refuses what would run, or let run, a definition that was taken out of service. */
export function refuseRetired({ id, paused, note }: OwnSchedule): void {
  if (!paused || note?.startsWith(retiredNotePrefix) !== true) return;
  throw new Refusal(`${id} is retired: ${note}`, 'Take it up again with: actcore apply --unretire');
}

/** The workflow ids of all runs of a definition that are going: those of the schedule, and those that somebody fired. */
export async function findRunning(client: Client, { id, running }: OwnSchedule): Promise<string[]> {
  const found = new Set(running);
  // The id is one that the server knows as ours, so it holds no quote.
  const query = `${searchAttributes.definition} = '${id}' AND ExecutionStatus = 'Running'`;
  for await (const run of client.workflow.list({ query })) found.add(run.workflowId);
  return [...found];
}
