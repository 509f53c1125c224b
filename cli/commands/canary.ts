import type { Command } from 'commander';
import { basename } from 'node:path';
import type { Definition } from '../../compiler/definition.ts';
import { ensureSearchAttributes } from '../../schedules/search-attributes.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import { requireDefinitions } from '../definition-files.ts';
import { fireByHand } from '../firing.ts';
import { reportFiring } from '../firing-output.ts';
import { listActing } from '../proof-gate.ts';
import { Refusal } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';
import { defaultDefinitions } from '../settings.ts';

interface CanaryOptions extends CommonOptions {
  definitions: string;
  detach?: boolean;
  dryRun?: boolean;
}

export function addCanary(program: Command, signal: AbortSignal): void {
  const command = program
    .command('canary')
    .summary('run a definition once, now, as its file is')
    .description(
      'Run a definition once, now, as its file is, and follow it. The schedule is not touched. Exits with the exit code of the run.',
    )
    .argument('<id|file>', 'id of a definition, or its file')
    .option('--definitions <folder>', 'where to look for the id', defaultDefinitions)
    .option('--dry-run', 'let the checks of a watchdog look and not act; opens no gate but the one for mode: auto')
    .option('--detach', 'do not wait for the end');
  handle<CanaryOptions>(withJson(command), signal, async (session, options, [target = '']) => {
    const definition = await chooseDefinition(target, options.definitions, session);
    const { settings } = session;
    const firing = { trigger: 'canary', actor: settings.actor, ...nameDryRun(definition, options) } as const;
    return withTemporal(settings, async (client, connection) => {
      await ensureSearchAttributes(connection, settings.namespace);
      const run = await fireByHand(client, settings, definition.order, firing, definition);
      return reportFiring(session, client, run, { follow: options.detach !== true });
    });
  });
}

/** A definition whose checks only look anyway is run as it is, and its canary vouches for it. */
function nameDryRun({ id, order }: Definition, { dryRun }: CanaryOptions): { dryRun?: true } {
  if (dryRun !== true) return {};
  if (order.kind !== 'watchdog') {
    throw new Refusal(`${id} is a sweep: what it sends cannot be sent for show`, '--dry-run is for watchdogs.');
  }
  const looksOnly = listActing(order).length === 0 && order.watchdog.checks.every(({ mode }) => mode !== 'sim');
  return looksOnly ? {} : { dryRun: true };
}

/** A file is taken alone, so that a broken neighbour does not stand in the way of trying it. */
async function chooseDefinition(target: string, folder: string, { output }: Session): Promise<Definition> {
  const isFile = basename(target).endsWith('.md');
  const definitions = await requireDefinitions([isFile ? target : folder], output);
  const found = isFile ? definitions[0] : definitions.find((definition) => definition.id === target);
  if (found !== undefined) return found;
  const known = definitions.map((definition) => definition.id).join(', ');
  throw new Refusal(`No definition in ${folder} has the id ${target}`, `There are: ${known}`);
}
