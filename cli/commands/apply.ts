import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { applySchedule } from '../../schedules/apply.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import type { DesiredSchedule } from '../../schedules/desired.ts';
import { forEachAtOnce } from '../../schedules/each.ts';
import type { PlanOptions, PlannedChange } from '../../schedules/plan.ts';
import { ensureSearchAttributes } from '../../schedules/search-attributes.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { requireDefinitions } from '../definition-files.ts';
import type { Output } from '../output.ts';
import { printChanges } from '../plan-output.ts';
import { exitCodes } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';
import { defaultDefinitions } from '../settings.ts';

interface ApplyFlags extends CommonOptions {
  repair?: boolean;
}

export function addApply(program: Command, signal: AbortSignal): void {
  const command = program
    .command('apply')
    .summary('make the schedules on the server agree with the definitions')
    .description('Make the schedules on the server agree with the definitions. Running it again changes nothing.')
    .option('--repair', 'also put back what somebody changed on the server; otherwise that is kept, and shown')
    .argument('[paths...]', 'definition files or folders', [defaultDefinitions]);
  handle<ApplyFlags>(withJson(command), signal, async ({ settings, output }, options, args) => {
    const definitions = await requireDefinitions(args.length > 0 ? args : [defaultDefinitions], output);
    const desired = definitions.map((definition) => compileSchedule(definition, settings.taskQueue));
    const changes = await withTemporal(settings, async (client, connection) => {
      await ensureSearchAttributes(connection, settings.namespace);
      return applyAll(client, desired, options, output);
    });
    output.data({ changes });
    printChanges(changes, output, 'applied');
    return changes.some((change) => change.action === 'refused') ? exitCodes.failed : exitCodes.ok;
  });
}

async function applyAll(
  client: Client,
  desired: DesiredSchedule[],
  options: PlanOptions,
  output: Output,
): Promise<PlannedChange[]> {
  const done: string[] = [];
  try {
    return await forEachAtOnce(desired, async (schedule, index) => {
      output.progress(`applying ${index + 1} of ${desired.length}`);
      const change = await applySchedule(client, schedule, options);
      done.push(schedule.id);
      return change;
    });
  } catch (error) {
    output.note(`${done.length} of ${desired.length} were applied before it failed: ${done.join(', ') || 'none'}`);
    throw error;
  }
}
