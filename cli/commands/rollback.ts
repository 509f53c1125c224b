import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import type { Revision } from '../../history/chain.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { compilePaths } from '../definition-files.ts';
import { withHistory } from '../history-service.ts';
import { chooseRevision, requireKnown } from '../known-definition.ts';
import { Refusal } from '../refusal.ts';
import { defaultDefinitions } from '../settings.ts';
import { isCommitted, readWorkingFile } from '../working-file.ts';

interface RollbackOptions extends CommonOptions {
  to: string;
  definitions: string;
  force?: boolean;
}

export function addRollback(program: Command, signal: AbortSignal): void {
  const command = program
    .command('rollback')
    .summary('write an older revision of a definition into its file')
    .description(
      'Write the file of a definition as it was at an older revision. Nothing else changes: the file is the truth, and ' +
        'plan and apply follow it.',
    )
    .argument('<id>', 'id of the definition')
    .requiredOption('--to <revision>', 'the first digits of the revision; actcore history shows them')
    .option('--definitions <folder>', 'where the file is', defaultDefinitions)
    .option('--force', 'also over changes that are not committed');
  handle<RollbackOptions>(withJson(command), signal, async ({ settings, output }, options, [id = '']) => {
    const { revisions } = await withHistory(settings, (pool) => requireKnown(pool, id));
    const revision = chooseRevision(revisions, id, options.to);
    requireSameId(id, revision);
    const file = await locateFile(id, revision, options.definitions);
    const current = await readWorkingFile(file);
    const isThere = current === revision.text;
    if (!isThere) {
      if (current !== undefined && options.force !== true) await requireKept(file, current, revisions);
      await writeRevision(file, revision);
    }
    const short = revision.revision.slice(0, 12);
    output.data({ id, file, revision: revision.revision, written: !isThere });
    output.line(isThere ? `${file} is at ${short}` : `${file} is written as it was at ${short}; apply follows it`);
  });
}

/** The text of a former id would make a second schedule beside the one that has moved. */
function requireSameId(id: string, { revision, id: former }: Revision): void {
  if (former === id) return;
  throw new Refusal(
    `revision ${revision.slice(0, 12)} is of before this moved from ${former} to ${id}`,
    `actcore history ${id} shows its text: take over what you need by hand, and leave id and moved_from as they are.`,
  );
}

/** The file that has the id now, however it is called; else the name it had, in the folder. */
async function locateFile(id: string, revision: Revision, folder: string): Promise<string> {
  const { definitions } = await compilePaths([folder]);
  return definitions.find((definition) => definition.id === id)?.file ?? join(folder, basename(revision.file));
}

async function requireKept(file: string, current: string, revisions: Revision[]): Promise<void> {
  const committed = await isCommitted(file);
  if (committed ?? revisions.some(({ text }) => text === current)) return;
  if (committed === undefined) {
    throw new Refusal(
      `${file} is in no git repository, and what stands in it was never applied`,
      'Keep a copy of it, or say --force.',
    );
  }
  throw new Refusal(`${file} has changes that are not committed`, 'Commit them, or say --force.');
}

async function writeRevision(file: string, { text }: Revision): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new Refusal(`${file} cannot be written: ${error instanceof Error ? error.message : String(error)}`);
  }
}
