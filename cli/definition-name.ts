import { basename } from 'node:path';
import { definitionSchema } from '../compiler/schema.ts';

/** Whether a word can be the id of a definition. */
export function isDefinitionId(word: string): boolean {
  return definitionSchema.shape.id.safeParse(word).success;
}

/** The id that somebody meant by a title, a path or a name in another spelling; undefined where none is in it. */
export function suggestDefinitionId(word: string): string | undefined {
  const plain = basename(word)
    .replace(/\.md$/i, '')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .replaceAll('ß', 'ss')
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase();
  const parts = plain.split('.').map((part) => part.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, ''));
  const id = parts
    .filter((part) => part !== '')
    .join('.')
    .replace(/^[^a-z]+/, '');
  return isDefinitionId(id) ? id : undefined;
}
