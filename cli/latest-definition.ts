import type pg from 'pg';
import { compileFiles, prepareCompiler } from '../compiler/compile-files.ts';
import type { Definition } from '../compiler/definition.ts';
import { findDefinition, listRevisions } from '../history/chain.ts';
import { compilePaths } from './definition-files.ts';
import { Refusal } from './refusal.ts';

/**
 * A definition as its file in `folder` is; where there is no good file of this id, as it was applied last. Refuses where
 * neither is there.
 */
export async function requireLatest(pool: pg.Pool, id: string, folder: string): Promise<Definition> {
  const { definitions } = await compilePaths([folder]);
  const found = definitions.find((definition) => definition.id === id) ?? (await compileApplied(pool, id));
  if (found !== undefined) return found;
  throw new Refusal(
    `Neither ${folder} nor the history has a good definition ${id}`,
    'actcore lint shows what is wrong with a file.',
  );
}

/** A definition as it was applied last; undefined where the history has none of this id, or one that cannot be read any more. */
export async function compileApplied(pool: pg.Pool, id: string): Promise<Definition | undefined> {
  const known = await findDefinition(pool, id);
  if (known === undefined) return undefined;
  const revisions = await listRevisions(pool, known.uuid);
  const files = revisions.filter(({ revision }) => revision === known.revision);
  await prepareCompiler(files);
  return compileFiles(files).definitions[0];
}
