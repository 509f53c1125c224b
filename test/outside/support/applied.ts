import type pg from 'pg';
import { keepRevisions, recordApplied } from '../../../history/revisions.ts';
import type { Definition } from '../../../compiler/definition.ts';
import { writeDefinition } from '../../support/definitions.ts';
import { defineSweep } from '../../support/definitions.ts';
import type { Frontmatter } from '../../support/definitions.ts';

/** Compiles a definition and tells the history of it, as `apply` does. */
export async function applyDefinition(pool: pg.Pool, id: string, changes: Frontmatter): Promise<Definition> {
  const definition = defineSweep(id, changes);
  const { uuid, enabled, order } = definition;
  const applied = {
    ...{ uuid, id, enabled, revision: order.revision, contractHash: order.contractHash, file: `${id}.md` },
    ...{ text: writeDefinition(id, changes), content: { id } },
  };
  const client = await pool.connect();
  try {
    await keepRevisions(client, [applied], 'tester');
    await recordApplied(client, [applied], { actor: 'tester', source: 'apply', workspace: 'here' });
  } finally {
    client.release();
  }
  return definition;
}
