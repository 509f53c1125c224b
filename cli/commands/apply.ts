import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { applySchedule } from '../../schedules/apply.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import type { DesiredSchedule } from '../../schedules/desired.ts';
import { forEachAtOnce } from '../../schedules/each.ts';
import type { PlannedChange } from '../../schedules/plan.ts';
import { ensureSearchAttributes } from '../../schedules/search-attributes.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { requireSet } from '../definition-files.ts';
import type { Output } from '../output.ts';
import { printChanges } from '../plan-output.ts';
import { applyRecorded } from '../recorded-apply.ts';
import type { Waivers } from '../recorded-apply.ts';
import { Refusal, exitCodes } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';
import { defaultDefinitions } from '../settings.ts';

interface ApplyOptions extends CommonOptions {
  allowUncanaried?: boolean;
  reason?: string;
  unretire?: boolean;
}

export function addApply(program: Command, signal: AbortSignal): void {
  const command = program
    .command('apply')
    .summary('make the schedules on the server agree with the definitions')
    .description('Make the schedules on the server agree with the definitions. Running it again changes nothing.')
    .argument('[paths...]', 'definition files or folders', [defaultDefinitions])
    .option('--allow-uncanaried', 'enable also what no canary vouches for; needs --reason, and is journaled')
    .option('--reason <text>', 'why, for the journal')
    .option('--unretire', 'take up again what was retired');
  handle<ApplyOptions>(withJson(command), signal, async ({ settings, output }, options, args) => {
    const waivers = readWaivers(options);
    const set = await requireSet(args.length > 0 ? args : [defaultDefinitions], output);
    const changes = await withTemporal(settings, async (client, connection) => {
      await ensureSearchAttributes(connection, settings.namespace);
      return applyRecorded(settings, client, set, waivers, (admitted, onApplied) => {
        const desired = admitted.map((definition) => compileSchedule(definition, settings.taskQueue));
        return applyAll(client, desired, output, onApplied);
      });
    });
    output.data({ changes });
    printChanges(changes, output, 'applied');
    return changes.some((change) => change.action === 'refused') ? exitCodes.failed : exitCodes.ok;
  });
}

function readWaivers({ allowUncanaried, reason, unretire }: ApplyOptions): Waivers {
  const isReasoned = reason !== undefined && reason.trim() !== '';
  if (allowUncanaried === true && !isReasoned) {
    throw new Refusal('--allow-uncanaried needs a reason', 'Say why, for the journal: --reason "..."');
  }
  if (allowUncanaried !== true && reason !== undefined) {
    throw new Refusal('--reason is for --allow-uncanaried', 'Without it there is nothing to give a reason for.');
  }
  return {
    ...(isReasoned ? { uncanariedReason: reason } : {}),
    ...(unretire === undefined ? {} : { unretire }),
  };
}

async function applyAll(
  client: Client,
  desired: DesiredSchedule[],
  output: Output,
  onApplied: (change: PlannedChange) => void,
): Promise<PlannedChange[]> {
  const done: string[] = [];
  try {
    return await forEachAtOnce(desired, async (schedule, index) => {
      output.progress(`applying ${index + 1} of ${desired.length}`);
      const change = await applySchedule(client, schedule);
      done.push(schedule.id);
      onApplied(change);
      return change;
    });
  } catch (error) {
    output.note(`${done.length} of ${desired.length} were applied before it failed: ${done.join(', ') || 'none'}`);
    throw error;
  }
}
