import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openProver } from '../../../cli/import-proof.ts';
import type { Proof } from '../../../cli/import-proof.ts';
import type { FoundJob } from '../../../importers/found-job.ts';
import { importJob } from '../../../importers/imported-definition.ts';
import type { ImportedDefinition } from '../../../importers/imported-definition.ts';
import { makeIds } from '../../../importers/name-job.ts';

/** The day on which every corpus is read, so that the clock changes within 400 days are known. */
export const now = new Date('2026-11-21T12:00:30Z');

const fixtures = join(import.meta.dirname, '../../fixtures/import');

/** A file of the corpora. */
export function readFixture(folder: 'crontabs' | 'systemd' | 'cronjobs', name: string): string {
  return readFileSync(join(fixtures, folder, name), 'utf8');
}

/** Their names. */
export function listFixtures(folder: 'crontabs' | 'systemd' | 'cronjobs', end: string): string[] {
  return readdirSync(join(fixtures, folder)).filter((name) => name.endsWith(end));
}

/** Imports jobs under the prefix `t`; one that would not lint clean fails the test. */
export function importAll(jobs: readonly FoundJob[]): ImportedDefinition[] {
  const ids = makeIds(jobs.map(({ name }) => ({ prefix: 't', name })));
  return jobs.map((job, index) => {
    const id = ids[index] ?? '';
    const imported = importJob(
      job,
      { id, owner: 'tester', source: 'old-runner' },
      { program: 'actcore', file: `${id}.md`, now },
    );
    if ('messages' in imported) throw new Error(`${id}: ${imported.messages.join('; ')}`);
    return imported;
  });
}

const prove = openProver(now);

/** Asks the independent reader about each. */
export async function proveAll(jobs: readonly FoundJob[]): Promise<(ImportedDefinition & { proof: Proof })[]> {
  const proven: (ImportedDefinition & { proof: Proof })[] = [];
  for (const imported of importAll(jobs)) proven.push({ ...imported, proof: await prove(imported) });
  return proven;
}
