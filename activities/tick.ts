import { isTick } from '../ticks/ticks.ts';
import type { Firing, Order } from '../workflows/contract.ts';

/** Whoever presses Trigger in the Temporal UI or CLI: the server does not say who. */
const unnamedActor = 'temporal';

/**
 * Tells a tick from a firing by the Temporal UI's Trigger button, which carries a scheduled time like any other: it is
 * by hand when that time is not one of the schedule's.
 */
export function nameTrigger(order: Order, firing: Firing): Firing {
  if (firing.trigger !== 'schedule' || isTick(order.cadence, Date.parse(firing.scheduledAt))) return firing;
  return { ...firing, trigger: 'manual', actor: unnamedActor };
}
