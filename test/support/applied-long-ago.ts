import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Definition } from '../../compiler/definition.ts';
import { keepRevisions, recordApplied } from '../../history/revisions.ts';
import type { JsonValue } from '../../workflows/contract.ts';
import { defineSweep, writeDefinition } from './definitions.ts';
import type { Frontmatter } from './definitions.ts';

/** A definition that is off unless it says otherwise, as the history has it, applied some hours ago; no server knows it. */
export async function applyLongAgo(
  history: pg.Pool,
  changes: Frontmatter,
  hours = 2,
  id = `test.told-${randomUUID().slice(0, 8)}`,
): Promise<Definition> {
  const keys = { enabled: 'false', misfire_grace: '10s', ...changes };
  const definition = defineSweep(id, keys);
  const { uuid, order, frontmatter, runbook, enabled } = definition;
  const content = { ...(frontmatter as { [key: string]: JsonValue }), runbook };
  const { revision, contractHash } = order;
  const file = `${id}.md`;
  const applied = { uuid, id, enabled, revision, contractHash, content, file, text: writeDefinition(id, keys) };
  const client = await history.connect();
  try {
    await keepRevisions(client, [applied], 'tester');
    await recordApplied(client, [applied], { actor: 'tester', source: 'apply', workspace: '' });
    await client.query(
      `INSERT INTO actcore.journal (at, entity_type, entity_id, field, action, new_value, actor, source, workspace)
       VALUES (now() - make_interval(hours => $3), 'definition', $1, 'revision', 'insert', to_json($2::text), 'tester', 'apply', '')`,
      [id, revision, hours],
    );
  } finally {
    client.release();
  }
  return definition;
}
