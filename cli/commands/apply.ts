import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import { applyAll } from '../../schedules/apply-all.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import type { DesiredSchedule } from '../../schedules/desired.ts';
import type { PlannedChange } from '../../schedules/plan.ts';
import { isFailed } from '../../schedules/render.ts';
import { ensureSearchAttributes } from '../../schedules/search-attributes.ts';
import { handle, withJson } from '../command.ts';
import type { Session } from '../command.ts';
import { requireDefinitions } from '../definition-files.ts';
import { printChanges } from '../plan-output.ts';
import { startProgress } from '../progress-bar.ts';
import { checkPruneLimit, orphanHelp, pruneAll, surveyServer, withPruneLimit } from '../prune-options.ts';
import type { PruneFlags } from '../prune-options.ts';
import { exitCodes } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';
import { defaultDefinitions } from '../settings.ts';

interface ApplyFlags extends PruneFlags {
  repair?: boolean;
}

export function addApply(program: Command, signal: AbortSignal): void {
  const command = program
    .command('apply')
    .summary('make the schedules on the server agree with the definitions')
    .description(
      'Make the schedules on the server agree with the definitions. Running it again changes nothing, and completes what failed half-way: the exit code is 1 until all is done.',
    )
    .argument('[paths...]', 'definition files or folders', [defaultDefinitions])
    .option('--repair', 'also put back what somebody changed on the server; otherwise that is kept, and shown')
    .option('--prune', 'also remove orphans; otherwise they are listed')
    .addHelpText('after', orphanHelp);
  handle<ApplyFlags>(withJson(withPruneLimit(command)), signal, async (session, flags, args) => {
    const { settings, output } = session;
    const paths = args.length > 0 ? args : [defaultDefinitions];
    const definitions = await requireDefinitions(paths, output);
    const desired = definitions.map((definition) => compileSchedule(definition, settings.taskQueue));
    const changes = await withTemporal(settings, async (client, connection) => {
      await ensureSearchAttributes(connection, settings.namespace);
      return applyAndPrune(client, { desired, paths, flags, session });
    });
    output.data({ changes });
    printChanges(changes, output, 'applied');
    if (!changes.some(isFailed)) return exitCodes.ok;
    output.note('not all of it was done; apply again completes it');
    return exitCodes.failed;
  });
}

interface Application {
  desired: DesiredSchedule[];
  paths: string[];
  flags: ApplyFlags;
  session: Session;
}

/** The limit is checked before the first write, and nothing is removed where a write has failed. */
async function applyAndPrune(
  client: Client,
  { desired, paths, flags, session: { settings, output } }: Application,
): Promise<PlannedChange[]> {
  const { repair = false, prune = false, pruneLimit } = flags;
  const { taskQueue } = settings;
  const defined = desired.map(({ id }) => id);
  const survey = await surveyServer(client, paths, { defined, taskQueue, prune });
  if (prune && survey !== undefined) checkPruneLimit(survey, pruneLimit);
  const onStep = startProgress(output, 'applying', desired.length);
  const changes = await applyAll(client, desired, { repair, listed: survey?.listed, onStep });
  const orphans = survey?.orphans ?? [];
  if (!prune || changes.some(isFailed)) return [...changes, ...orphans];
  return [...changes, ...(await pruneAll(client, orphans, taskQueue))];
}
