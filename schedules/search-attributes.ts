import type { Connection } from '@temporalio/client';
import { searchAttributes } from '../workflows/contract.ts';

/** IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD of Temporal's API. */
const keywordType = 2;

/** The search attributes that runs carry and the namespace does not have. */
export async function listMissingAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return Object.values(searchAttributes).filter((name) => customAttributes?.[name] === undefined);
}

/** Registers these search attributes, as Keywords. */
export async function addAttributes(connection: Connection, namespace: string, names: string[]): Promise<void> {
  await connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(names.map((name) => [name, keywordType])),
  });
}

/** Registers the search attributes that runs carry and the namespace does not have yet. Returns the new names. */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const missing = await listMissingAttributes(connection, namespace);
  if (missing.length > 0) await addAttributes(connection, namespace, missing);
  return missing;
}
