import type { Command } from 'commander';
import { isBrokenOff, isFailed } from '../../schedules/render.ts';
import { applySet } from '../apply-set.ts';
import { handle, withJson } from '../command.ts';
import { requireSet } from '../definition-files.ts';
import { printChanges } from '../plan-output.ts';
import { orphanHelp, requirePrune, withPruneLimit } from '../prune-options.ts';
import type { PruneFlags } from '../prune-options.ts';
import { exitCodes } from '../refusal.ts';
import { defaultDefinitions } from '../settings.ts';
import { awaitServers, parseWait } from '../wait.ts';
import { readWaivers, withWaivers } from '../waivers.ts';
import type { WaiverFlags } from '../waivers.ts';

interface ApplyFlags extends PruneFlags, WaiverFlags {
  repair?: boolean;
  hold?: boolean;
  wait?: number;
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
    .option(
      '--hold',
      'make what no canary vouches for all the same, as if it were not enabled; what runs is kept as it is',
    )
    .option('--wait <span>', 'how long to wait for Temporal, the history and another apply: 90s, 5m', parseWait)
    .option('--prune', 'also remove orphans; otherwise they are listed')
    .addHelpText('after', orphanHelp);
  handle<ApplyFlags>(withJson(withWaivers(withPruneLimit(command))), signal, async (session, flags, args) => {
    const { output } = session;
    requirePrune(flags);
    const paths = args.length > 0 ? args : [defaultDefinitions];
    const { wait: waitMs, hold = false } = flags;
    const patience = waitMs === undefined ? {} : { patienceMs: waitMs };
    const admission = { ...readWaivers(flags), ...patience, hold };
    const set = await requireSet(paths, output);
    if (waitMs !== undefined) await awaitServers(session, waitMs);
    const changes = await applySet(session, set, { ...flags, paths, admission });
    output.data({ changes });
    printChanges(changes, output, 'applied');
    if (changes.some(isBrokenOff)) output.note('not all of it was done; apply again completes it');
    return changes.some(isFailed) ? exitCodes.failed : exitCodes.ok;
  });
}
