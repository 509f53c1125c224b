import type { Client } from '@temporalio/client';
import type { DesiredSchedule } from './desired.ts';
import { observeSchedule } from './observe.ts';
import type { ObservedSchedule } from './observe.ts';

/**
 * The schedule that a definition had under another id, as long as it is there; undefined where there is none, or
 * what bears that id now is not ours.
 */
export async function findFormer(
  client: Client,
  { movedFrom }: DesiredSchedule,
): Promise<ObservedSchedule | undefined> {
  for (const id of movedFrom) {
    const former = await observeSchedule(client, id);
    if (former?.isOurs === true) return former;
  }
  return undefined;
}

/** Why a former schedule may not be taken over; undefined where it may. */
export function explainStranger({ order }: DesiredSchedule, former: ObservedSchedule): string | undefined {
  const { definition } = former.order ?? {};
  if (definition === undefined || definition.uuid === order.definition.uuid) return undefined;
  return (
    `moved_from names ${former.id}, whose uuid is ${definition.uuid} and not ${order.definition.uuid}: ` +
    'state that uuid to go on with its history, or leave moved_from out'
  );
}
