import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileFiles, prepareCompiler } from '../compiler/compile-files.ts';
import type { Problem } from '../compiler/problem.ts';
import type { FoundJobs } from '../importers/crontab.ts';
import { importJob } from '../importers/imported-definition.ts';
import type { ImportedDefinition } from '../importers/imported-definition.ts';
import { isPrefix, makeIds, slug } from '../importers/name-job.ts';
import { readSources } from './definition-sources.ts';
import { openProver } from './import-proof.ts';
import type { Proof } from './import-proof.ts';
import { writeNewFile } from './new-file.ts';
import type { Output } from './output.ts';
import { Refusal } from './refusal.ts';

/** How definitions are made of jobs, and where they are put. */
export interface ImportPlan {
  folder: string;
  owner: string | undefined;
  /** Who is at the keyboard. */
  actor: string;
  prefix: string | undefined;
  source: string;
  /** How an old runner calls actcore. */
  program: string;
  isDryRun: boolean;
  mayReplace: boolean;
  now: Date;
}

/** What became of one job. */
export interface ImportedFile {
  imported: ImportedDefinition;
  proof: Proof;
  file: string;
  /** `kept`: another one is there; `same`: this very one is; `taken`: its id is another file's. */
  state: 'written' | 'replaced' | 'same' | 'kept' | 'taken' | 'not written';
  remark?: string;
}

/** What became of all of them. */
export interface ImportResult {
  files: ImportedFile[];
  problems: Problem[];
  notes: string[];
}

/** Turns jobs into definitions, proves each, and writes them. */
export async function runImport(found: FoundJobs, plan: ImportPlan, output: Output): Promise<ImportResult> {
  requirePlan(plan);
  const { jobs } = found;
  const ids = makeIds(jobs.map(({ name, group }) => ({ prefix: plan.prefix ?? slug(group) ?? '', name })));
  const problems = [...found.problems];
  const files: ImportedFile[] = [];
  const prove = openProver(plan.now);
  const neighbours = await readNeighbours(plan.folder);
  for (const [index, job] of jobs.entries()) {
    const id = ids[index] ?? '';
    output.progress(`${index + 1} of ${jobs.length}: ${id}`);
    const file = join(plan.folder, `${id}.md`);
    const owner = plan.owner ?? job.owner ?? (plan.actor.replace(/@.*$/, '') || 'nobody');
    const { program, now } = plan;
    const imported = importJob(job, { id, owner, source: plan.source }, { program, file, now });
    if ('messages' in imported) {
      const message = `its definition would not be a good one: ${imported.messages.join('; ')}`;
      problems.push({ file: job.file, line: job.line, column: job.column, path: '', severity: 'error', message });
      continue;
    }
    const proof = await prove(imported);
    const taken = neighbours.find((other) => other.id === id && other.file !== file);
    files.push({ imported, proof, file, ...(await settle(file, imported.text, taken?.file, plan)) });
  }
  return { files, problems, notes: found.notes };
}

function requirePlan({ owner, prefix, source }: ImportPlan): void {
  if (prefix !== undefined && !isPrefix(prefix)) {
    throw new Refusal(
      `--prefix ${prefix} cannot begin an id`,
      'Expected dotted kebab-case such as team.nightly, or nothing.',
    );
  }
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(source) || source === 'activity-core') {
    throw new Refusal(
      `--source ${source} is not a source name`,
      'Expected kebab-case such as local-timer; activity-core is this scheduler itself.',
    );
  }
  // oxlint-disable-next-line no-control-regex
  if (owner !== undefined && (owner.trim() === '' || owner.length > 100 || /[\u0000-\u001f\u007f]/.test(owner))) {
    throw new Refusal('--owner is not a name', 'Expected one line of text, at most 100 characters.');
  }
}

/** The ids that other files of the folder have. */
async function readNeighbours(folder: string): Promise<{ id: string; file: string }[]> {
  if (!existsSync(folder)) return [];
  const { files } = await readSources([folder]);
  await prepareCompiler(files);
  return compileFiles(files).definitions.map(({ id, file }) => ({ id, file }));
}

async function settle(
  file: string,
  text: string,
  holder: string | undefined,
  plan: ImportPlan,
): Promise<Pick<ImportedFile, 'state' | 'remark'>> {
  if (holder !== undefined) return { state: 'taken', remark: `${holder} has this id; give another --prefix` };
  const isThere = existsSync(file);
  if (isThere && isSame(file, text)) return { state: 'same' };
  if (isThere && !plan.mayReplace)
    return { state: 'kept', remark: `${file} is there already; replace it with --force` };
  if (plan.isDryRun) return { state: 'not written' };
  try {
    mkdirSync(plan.folder, { recursive: true });
  } catch (error) {
    throw new Refusal(`${plan.folder} cannot be made: ${error instanceof Error ? error.message : String(error)}`);
  }
  await writeNewFile(file, plan.mayReplace, (place) => writeFile(place.file, text));
  return { state: isThere ? 'replaced' : 'written' };
}

function isSame(file: string, text: string): boolean {
  try {
    return readFileSync(file, 'utf8') === text;
  } catch {
    return false;
  }
}
