import { stat } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Client } from '@temporalio/client';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import type { Definition } from '../compiler/definition.ts';
import { listScheduleIds } from '../schedules/listing.ts';
import { countPrunable, defaultPruneLimit, surveyOrphans } from '../schedules/orphans.ts';
import type { OrphanSurvey, PruneLimit } from '../schedules/orphans.ts';
import type { CommonOptions } from './command.ts';
import { Refusal } from './refusal.ts';
import { defaultDefinitions } from './settings.ts';

export interface PruneFlags extends CommonOptions {
  prune?: boolean;
  pruneLimit?: PruneLimit;
}

/** What every command that may prune says of it. */
export const orphanHelp = `
Orphans are our schedules on this task queue whose id no definition has. They are looked for only
where whole folders are given: a single file, or a folder inside of ${defaultDefinitions}, makes none.
`;

/** Adds `--prune-limit`. */
export function withPruneLimit(command: Command): Command {
  return command.option(
    '--prune-limit <count|percent>',
    'how many may be removed at once, as 3 or 50% (default: 20% of ours, at least 1)',
    parsePruneLimit,
  );
}

function parsePruneLimit(text: string): PruneLimit {
  const [, digits, sign] = /^(\d{1,9})(%?)$/.exec(text) ?? [];
  const value = Number(digits);
  if (digits === undefined || (sign === '%' && value > 100)) {
    throw new InvalidArgumentError('Expected a number such as 3, or a share such as 50%.');
  }
  return sign === '%' ? { percent: value } : { count: value };
}

/** @throws Refusal where a limit is given for nothing */
export function requirePrune({ prune, pruneLimit }: PruneFlags): void {
  if (prune === true || pruneLimit === undefined) return;
  throw new Refusal('--prune-limit is for --prune', 'Without it nothing is removed.');
}

/** The server's schedules beside a set of definitions. */
export interface ServerSurvey extends OrphanSurvey {
  listed: ReadonlySet<string>;
}

/** Looks for orphans where `paths` are whole folders; undefined where they are not, which `--prune` refuses. */
export async function surveyServer(
  client: Client,
  paths: string[],
  { definitions, taskQueue, prune }: { definitions: Definition[]; taskQueue: string; prune: boolean },
): Promise<ServerSurvey | undefined> {
  const partial = await findPartialPath(paths);
  if (partial !== undefined) {
    if (!prune) return undefined;
    throw new Refusal(
      `${partial} is not the whole folder of definitions, so nothing can be pruned by it`,
      'Give the folder, or leave out --prune.',
    );
  }
  const listed = new Set(await listScheduleIds(client));
  // What a definition has moved from is its own, and is taken away as it moves.
  const defined = new Set(definitions.flatMap(({ id, movedFrom }) => [id, ...movedFrom]));
  return { listed, ...(await surveyOrphans(client, { listed, defined, taskQueue })) };
}

async function findPartialPath(paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (!(await stat(path)).isDirectory() || isInside(dirname(resolve(path)))) return path;
  }
  return undefined;
}

function isInside(folder: string): boolean {
  if (basename(folder) === defaultDefinitions) return true;
  return dirname(folder) !== folder && isInside(dirname(folder));
}

/** Refuses, before anything is done, to remove more than the limit. */
export function checkPruneLimit({ orphans, ourCount }: OrphanSurvey, limit: PruneLimit = defaultPruneLimit): void {
  const allowed = countPrunable(limit, ourCount);
  if (orphans.length <= allowed) return;
  throw new Refusal(
    `${orphans.length} of our ${ourCount} schedules have no definition, and at most ${allowed} may be removed at once: nothing was done`,
    `Is this the whole folder? actcore plan lists them; --prune-limit ${orphans.length} removes them.`,
  );
}
