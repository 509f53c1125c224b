import type { Client } from '@temporalio/client';
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
import { refuseRetired, requireSchedule } from '../own-schedule.ts';
import { Refusal } from '../refusal.ts';
import { withTemporal } from '../temporal-service.ts';
import { defaultDefinitions } from '../settings.ts';

interface CanaryOptions extends CommonOptions {
  definitions: string;
  applied?: boolean;
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
    .option('--applied', 'run what the server has, held or not, where the file is not at hand')
    .option('--dry-run', 'let the checks of a watchdog look and not act; opens no gate but the one for mode: auto')
    .option('--detach', 'do not wait for the end');
  handle<CanaryOptions>(withJson(command), signal, async (session, options, [target = '']) => {
    const { settings } = session;
    const local = options.applied === true ? undefined : await chooseDefinition(target, options.definitions, session);
    return withTemporal(settings, async (client, connection) => {
      await ensureSearchAttributes(connection, settings.namespace);
      const definition = local ?? (await readApplied(client, target));
      const firing = { trigger: 'canary', actor: settings.actor, ...nameDryRun(definition, options) } as const;
      const run = await fireByHand(client, settings, definition.order, firing, definition);
      return reportFiring(session, client, run, { follow: options.detach !== true });
    });
  });
}

/** What is run: a definition as its file is, or as the server has it. */
type Fired = Pick<Definition, 'id' | 'order' | 'runbook' | 'file'>;

async function readApplied(client: Client, id: string): Promise<Fired> {
  const schedule = await requireSchedule(client, id);
  refuseRetired(schedule);
  return { id, order: schedule.order, runbook: schedule.runbook, file: id };
}

/** A definition whose checks only look anyway is run as it is, and its canary vouches for it. */
function nameDryRun({ id, order }: Fired, { dryRun }: CanaryOptions): { dryRun?: true } {
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
