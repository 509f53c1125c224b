import type { Command } from 'commander';
import { isFailed } from '../../schedules/render.ts';
import { handle, withJson } from '../command.ts';
import { requireDefinitions } from '../definition-files.ts';
import { printChanges } from '../plan-output.ts';
import { checkPruneLimit, orphanHelp, surveyServer, withPruneLimit } from '../prune-options.ts';
import type { PruneFlags } from '../prune-options.ts';
import { pruneRecorded } from '../recorded-prune.ts';
import { exitCodes } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';
import { defaultDefinitions } from '../settings.ts';

export function addPrune(program: Command, signal: AbortSignal): void {
  const command = program
    .command('prune')
    .summary('remove schedules that no definition stands for')
    .description(
      'Remove orphans and do nothing else. Schedules that actcore did not make are never touched. actcore plan lists the orphans.',
    )
    .argument('[paths...]', 'folders that hold all definitions', [defaultDefinitions])
    .addHelpText('after', orphanHelp);
  handle<PruneFlags>(withJson(withPruneLimit(command)), signal, async ({ settings, output }, { pruneLimit }, args) => {
    const paths = args.length > 0 ? args : [defaultDefinitions];
    const definitions = await requireDefinitions(paths, output);
    const { taskQueue } = settings;
    const changes = await withTemporal(settings, async (client) => {
      const survey = await surveyServer(client, paths, { definitions, taskQueue, prune: true });
      if (survey === undefined) return [];
      checkPruneLimit(survey, pruneLimit);
      return pruneRecorded(settings, client, survey.orphans);
    });
    output.data({ changes });
    if (changes.length === 0) output.line('no orphans');
    else printChanges(changes, output, 'applied');
    return changes.some(isFailed) ? exitCodes.failed : exitCodes.ok;
  });
}
