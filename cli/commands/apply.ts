import type { Command } from 'commander';
import { applySet } from '../apply-set.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { requireSet } from '../definition-files.ts';
import { printChanges } from '../plan-output.ts';
import type { Waivers } from '../recorded-apply.ts';
import { Refusal, exitCodes } from '../refusal.ts';
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
  handle<ApplyOptions>(withJson(command), signal, async (session, options, args) => {
    const { output } = session;
    const waivers = readWaivers(options);
    const set = await requireSet(args.length > 0 ? args : [defaultDefinitions], output);
    const changes = await applySet(session, set, waivers);
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
