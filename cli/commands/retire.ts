import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { findDefinition } from '../../history/chain.ts';
import { recordRetirement } from '../../history/retirement.ts';
import type { RetiredDefinition } from '../../history/retirement.ts';
import { retiredNotePrefix } from '../../schedules/desired.ts';
import { observeSchedule } from '../../schedules/observe.ts';
import type { ObservedSchedule } from '../../schedules/observe.ts';
import { withApplyLock } from '../apply-lock.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { showLine } from '../printable.ts';
import { Refusal } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';
import { signAs } from '../workspace.ts';

interface RetireOptions extends CommonOptions {
  reason: string;
}

export function addRetire(program: Command, signal: AbortSignal): void {
  const command = program
    .command('retire')
    .summary('take a definition out of service and keep its history')
    .description(
      'Take a definition out of service: its schedule is paused, list leaves it out, apply refuses it, and all that ' +
        'is known of it is kept. apply --unretire takes it up again.',
    )
    .argument('<id>', 'id of the definition')
    .requiredOption('--reason <text>', 'why, for whoever finds it retired');
  handle<RetireOptions>(withJson(command), signal, async ({ settings, output }, { reason }, [id = '']) => {
    if (reason.trim() === '') throw new Refusal('--reason is empty', 'Say why, for whoever finds it retired.');
    const wasRetired = await withTemporal(settings, (client) =>
      withApplyLock(settings, 'retire', async (history) => {
        const observed = await observeOwn(client, id);
        const known = (await findDefinition(history, id)) ?? describeObserved(observed);
        if (known === undefined) {
          throw new Refusal(`Neither the server nor the history knows ${id}`, 'actcore list shows what there is.');
        }
        // Paused first: broken off in between it looks paused, which it is, and never retired while it fires.
        if (observed !== undefined && observed.note?.startsWith(retiredNotePrefix) !== true) {
          await client.schedule.getHandle(id).pause(`${retiredNotePrefix}${settings.actor}: ${reason}`);
        }
        return !(await recordRetirement(history, known, reason, signAs('retire', settings)));
      }),
    );
    output.data({ id, retired: true, wasRetired });
    output.line(wasRetired ? `${id} was retired before` : `${id} is retired (${showLine(reason)})`);
  });
}

/** A schedule of ours; undefined where the server has none, or one that somebody else made and that is left alone. */
async function observeOwn(client: Client, id: string): Promise<ObservedSchedule | undefined> {
  const observed = await observeSchedule(client, id);
  return observed?.order === undefined ? undefined : observed;
}

function describeObserved(observed: ObservedSchedule | undefined): RetiredDefinition | undefined {
  if (observed?.order === undefined) return undefined;
  const { definition, revision } = observed.order;
  return { id: observed.id, uuid: definition.uuid, enabled: observed.enabled !== false, revision };
}
