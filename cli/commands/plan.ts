import type { Command } from 'commander';
import { planAll } from '../../schedules/apply-all.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import { isPending } from '../../schedules/render.ts';
import { handle, withJson } from '../command.ts';
import { announceGate } from '../canary-gate.ts';
import { requireDefinitions } from '../definition-files.ts';
import { printChanges } from '../plan-output.ts';
import { startProgress } from '../progress-bar.ts';
import { checkPruneLimit, orphanHelp, requirePrune, surveyServer, withPruneLimit } from '../prune-options.ts';
import type { PruneFlags } from '../prune-options.ts';
import { exitCodes } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';
import { defaultDefinitions } from '../settings.ts';

interface PlanFlags extends PruneFlags {
  repair?: boolean;
}

export function addPlan(program: Command, signal: AbortSignal): void {
  const command = program
    .command('plan')
    .summary('show what apply would change on the server')
    .description(
      'Show what apply would change on the server. Exits 0 when nothing would, 2 when something would, and 1 when something is refused. Drift and orphans, which apply leaves alone, count only with --repair and --prune.',
    )
    .argument('[paths...]', 'definition files or folders', [defaultDefinitions])
    .option('--repair', 'also put back what somebody changed on the server')
    .option('--prune', 'also remove orphans')
    .addHelpText('after', orphanHelp);
  handle<PlanFlags>(withJson(withPruneLimit(command)), signal, async (session, flags, args) => {
    const { settings, output } = session;
    const { repair = false, prune = false, pruneLimit } = flags;
    requirePrune(flags);
    const paths = args.length > 0 ? args : [defaultDefinitions];
    const definitions = await requireDefinitions(paths, output);
    const { taskQueue } = settings;
    const desired = definitions.map((definition) => compileSchedule(definition, taskQueue));
    const [survey, changes] = await withTemporal(settings, (client) => {
      const onStep = startProgress(output, 'planning', desired.length);
      return Promise.all([
        surveyServer(client, paths, { definitions, taskQueue, prune }),
        announceGate(session, client, definitions, () => planAll(client, desired, { repair, onStep, now: new Date() })),
      ]);
    });
    const orphans = (survey?.orphans ?? []).map((orphan) => (prune ? { ...orphan, action: 'prune' as const } : orphan));
    const all = [...changes, ...orphans];
    output.data({ changes: all });
    printChanges(all, output, 'planned');
    if (prune && survey !== undefined) checkPruneLimit(survey, pruneLimit);
    if (all.some((change) => change.action === 'refused')) return exitCodes.failed;
    return all.some(isPending) ? exitCodes.changesPending : exitCodes.ok;
  });
}
