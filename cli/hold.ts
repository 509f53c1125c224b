import type { Client } from '@temporalio/client';
import type { Definition } from '../compiler/definition.ts';
import { forEachAtOnce } from '../schedules/each.ts';
import { observeSchedule } from '../schedules/observe.ts';
import type { GateFindings } from './canary-gate.ts';

/**
 * What stands on each definition that the gate would refuse and that may be made all the same, as one that is not enabled; by
 * id. What runs on the server by another contract is not among them: it goes on as it is, and the change is refused.
 */
export async function findHeld(
  client: Client,
  definitions: Definition[],
  gate: GateFindings,
): Promise<Map<string, string>> {
  const uncanaried = new Set(gate.uncanaried.map(({ id }) => id));
  const gated = definitions.filter(({ id }) => !gate.retired.has(id) && (uncanaried.has(id) || gate.unproven.has(id)));
  const isRunning = await forEachAtOnce(gated, async ({ id, movedFrom }) => {
    const observed = await Promise.all([id, ...movedFrom].map((name) => observeSchedule(client, name)));
    return observed.some((schedule) => schedule?.isOurs === true && schedule.enabled !== false);
  });
  const held = gated.filter((_, index) => isRunning[index] === false);
  return new Map(held.map((definition) => [definition.id, describeHold(definition, gate.unproven.has(definition.id))]));
}

/** The canaries are those of what the server has, so that no file is needed where they are fired. */
function describeHold({ id, order }: Definition, isUnproven: boolean): string {
  const canary = `actcore canary --applied ${id}`;
  const commands = isUnproven ? `${canary} --dry-run, then ${canary}` : canary;
  return `held until a canary of this contract (${order.contractHash.slice(0, 12)}) has completed: ${commands}, then apply again`;
}
