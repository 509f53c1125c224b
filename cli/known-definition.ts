import type pg from 'pg';
import { findDefinition, listRevisions } from '../history/chain.ts';
import type { KnownDefinition, Revision } from '../history/chain.ts';
import { Refusal } from './refusal.ts';

/** A definition that was applied once, with all of its revisions; refuses where the history has none of this id. */
export async function requireKnown(
  pool: pg.Pool,
  id: string,
): Promise<{ definition: KnownDefinition; revisions: Revision[] }> {
  const definition = await findDefinition(pool, id);
  if (definition === undefined) {
    throw new Refusal(`The history has no definition ${id}`, 'actcore apply records those that it applies.');
  }
  return { definition, revisions: await listRevisions(pool, definition.uuid) };
}

/** The one revision that begins with these digits. */
export function chooseRevision(revisions: Revision[], id: string, digits: string): Revision {
  const found = revisions.filter(({ revision }) => revision.startsWith(digits.toLowerCase()));
  const [first] = found;
  if (first !== undefined && found.length === 1 && digits !== '') return first;
  const known = (found.length > 0 ? found : revisions).map(({ revision }) => revision.slice(0, 12)).join(', ');
  const what = found.length > 1 ? 'More than one revision' : 'No revision';
  throw new Refusal(`${what} of ${id} begins with ${digits}`, `There are: ${known || 'none'}`);
}
