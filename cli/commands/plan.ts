import type { Command } from 'commander';
import { planSchedule } from '../../schedules/apply.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import { forEachAtOnce } from '../../schedules/each.ts';
import { isPending } from '../../schedules/render.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { requireDefinitions } from '../definition-files.ts';
import { printChanges } from '../plan-output.ts';
import { exitCodes } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';
import { defaultDefinitions } from '../settings.ts';

interface PlanFlags extends CommonOptions {
  repair?: boolean;
}

export function addPlan(program: Command, signal: AbortSignal): void {
  const command = program
    .command('plan')
    .summary('show what apply would change on the server')
    .description('Show what apply would change on the server. Exits 0 when nothing would, 2 when something would.')
    .option('--repair', 'also put back what somebody changed on the server')
    .argument('[paths...]', 'definition files or folders', [defaultDefinitions]);
  handle<PlanFlags>(withJson(command), signal, async ({ settings, output }, options, args) => {
    const definitions = await requireDefinitions(args.length > 0 ? args : [defaultDefinitions], output);
    const changes = await withTemporal(settings, (client) =>
      forEachAtOnce(definitions, (definition, index) => {
        output.progress(`planning ${index + 1} of ${definitions.length}`);
        return planSchedule(client, compileSchedule(definition, settings.taskQueue), options);
      }),
    );
    output.data({ changes });
    printChanges(changes, output, 'planned');
    if (changes.some((change) => change.action === 'refused')) return exitCodes.failed;
    return changes.some(isPending) ? exitCodes.changesPending : exitCodes.ok;
  });
}
