import type pg from 'pg';
import type { JsonValue } from '../workflows/contract.ts';
import { appendJournal, compareContents } from './journal.ts';
import type { FieldChange, Signature } from './journal.ts';
import { storable } from './storable.ts';

/** One definition as it is applied. */
export interface AppliedDefinition {
  uuid: string;
  id: string;
  enabled: boolean;
  revision: string;
  contractHash: string;
  file: string;
  /** The whole file. */
  text: string;
  /** The frontmatter as data, with the prose under `runbook`: what the journal compares. */
  content: { [key: string]: JsonValue };
}

/** So many go to the server in one statement. */
const batchSize = 500;

/**
 * Keeps the text of each revision that the history does not have yet, counted as applied no time: a server that has it
 * then never runs something whose text is lost, whatever fails in between.
 */
export async function keepRevisions(db: pg.ClientBase, definitions: AppliedDefinition[], actor: string): Promise<void> {
  for (let start = 0; start < definitions.length; start += batchSize) {
    const batch = definitions.slice(start, start + batchSize);
    const column = (read: (definition: AppliedDefinition) => string) => batch.map((one) => storable(read(one)));
    await db.query(
      `INSERT INTO actcore.revisions (definition_uuid, revision, contract_hash, file, text, content, actor)
       SELECT uuid, revision, contract_hash, file, text, content::json, $7
       FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
         AS kept (uuid, revision, contract_hash, file, text, content)
       ON CONFLICT DO NOTHING`,
      [
        ...[column(({ uuid }) => uuid), column(({ revision }) => revision), column((one) => one.contractHash)],
        ...[column(({ file }) => file), column(({ text }) => text), column(({ content }) => JSON.stringify(content))],
        storable(actor),
      ],
    );
  }
}

/** What the history had of a definition before this apply. */
interface Former {
  uuid: string;
  id: string;
  enabled: boolean;
  revision: string;
  /** Of that revision, where it is not the one that is applied now. */
  content: { [key: string]: JsonValue } | null;
}

/**
 * Records that the server has these definitions now, all in one transaction: each revision counts up, a changed one
 * supersedes the one before it, and every field that changed is an event of the journal, `also` among them.
 */
export async function recordApplied(
  db: pg.ClientBase,
  definitions: AppliedDefinition[],
  signature: Signature,
  also: FieldChange[] = [],
): Promise<void> {
  await inTransaction(db, async () => {
    for (let start = 0; start < definitions.length; start += batchSize) {
      const batch = definitions.slice(start, start + batchSize);
      const former = await lockFormer(db, batch);
      await countUp(db, batch);
      await writeDefinitions(db, batch);
      await appendJournal(
        db,
        batch.flatMap((definition) => listChanges(definition, former.get(definition.uuid))),
        signature,
      );
    }
    await appendJournal(db, also, signature);
  });
}

/** Does `work` in one transaction: all of it is there afterwards, or nothing. */
export async function inTransaction<Result>(db: pg.ClientBase, work: () => Promise<Result>): Promise<Result> {
  await db.query('BEGIN');
  try {
    const result = await work();
    await db.query('COMMIT');
    return result;
  } catch (error) {
    // Where the connection is gone the server has rolled back by itself, and the first error says more.
    await db.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function lockFormer(db: pg.ClientBase, definitions: AppliedDefinition[]): Promise<Map<string, Former>> {
  const { rows } = await db.query<Former>(
    `SELECT former.uuid, former.id, former.enabled, former.revision,
       CASE WHEN former.revision <> wanted.revision THEN content END AS content
     FROM unnest($1::uuid[], $2::text[]) AS wanted (uuid, revision)
     JOIN actcore.definitions AS former ON former.uuid = wanted.uuid
     LEFT JOIN actcore.revisions AS kept ON definition_uuid = former.uuid AND kept.revision = former.revision
     FOR UPDATE OF former`,
    [definitions.map(({ uuid }) => uuid), definitions.map(({ revision }) => revision)],
  );
  return new Map(rows.map((row) => [row.uuid, row]));
}

/** The parent is settled once, when a revision is applied for the first time: to go back to it makes no second one. */
async function countUp(db: pg.ClientBase, definitions: AppliedDefinition[]): Promise<void> {
  await db.query(
    `UPDATE actcore.revisions AS kept SET
       applied_count = applied_count + 1,
       first_applied_at = coalesce(first_applied_at, now()),
       last_applied_at = now(),
       parent = CASE WHEN applied_count > 0 THEN parent ELSE (
         SELECT nullif(former.revision, kept.revision) FROM actcore.definitions AS former
         WHERE former.uuid = kept.definition_uuid) END
     FROM unnest($1::uuid[], $2::text[]) AS applied (uuid, revision)
     WHERE kept.definition_uuid = applied.uuid AND kept.revision = applied.revision`,
    [definitions.map(({ uuid }) => uuid), definitions.map(({ revision }) => revision)],
  );
}

async function writeDefinitions(db: pg.ClientBase, definitions: AppliedDefinition[]): Promise<void> {
  await db.query(
    `INSERT INTO actcore.definitions AS known (uuid, id, enabled, revision)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::boolean[], $4::text[])
     ON CONFLICT (uuid) DO UPDATE SET
       id = excluded.id, enabled = excluded.enabled, revision = excluded.revision, applied_at = now()`,
    [
      definitions.map(({ uuid }) => uuid),
      definitions.map(({ id }) => id),
      definitions.map(({ enabled }) => enabled),
      definitions.map(({ revision }) => revision),
    ],
  );
}

/** A definition that is new is one event with all of it; a changed one is an event for each field, and the revision. */
function listChanges({ id, revision, content }: AppliedDefinition, former: Former | undefined): FieldChange[] {
  const entity = { entityType: 'definition', entityId: id };
  if (former === undefined) {
    return [
      { ...entity, field: 'definition', action: 'insert', newValue: content },
      { ...entity, field: 'revision', action: 'insert', newValue: revision },
    ];
  }
  if (former.revision === revision) return [];
  return [
    ...(former.content === null ? [] : compareContents(entity, former.content, content)),
    { ...entity, field: 'revision', action: 'update', oldValue: former.revision, newValue: revision },
  ];
}
