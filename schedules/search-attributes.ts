import type { Connection } from '@temporalio/client';
import { searchAttributes } from '../workflows/contract.ts';
import { readServerFault } from './server-fault.ts';

/** IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD of Temporal's API. */
const keywordType = 2;

/** Permission denied; not implemented, as where there is no operator service; unauthenticated. */
const denials = new Set([7, 12, 16]);
const invalidArgument = 3;

/** A namespace lacks search attributes, and whoever we are there may not create them. */
export class MissingSearchAttributesError extends Error {
  override readonly name = 'MissingSearchAttributesError';
  readonly namespace: string;
  readonly missing: string[];

  constructor(namespace: string, missing: string[], cause: unknown) {
    super(`the namespace ${namespace} lacks ${missing.join(', ')}`, { cause });
    this.namespace = namespace;
    this.missing = missing;
  }

  /** The command lines that create them: on a server of one's own, and in Temporal Cloud. */
  get commands(): [own: string, cloud: string] {
    // Names without a type of their own are passed over, and nobody is told.
    const named = this.missing.map((name) => `--name ${name} --type Keyword`).join(' ');
    const typed = this.missing.map((name) => `--search-attribute "${name}=Keyword"`).join(' ');
    return [
      `temporal operator search-attribute create --namespace ${this.namespace} ${named}`,
      `tcld namespace search-attributes add --namespace ${this.namespace} ${typed}`,
    ];
  }
}

/**
 * Registers the search attributes that runs carry and the namespace does not have yet. Returns the new names. Where that is
 * not permitted it is enough that they are there.
 *
 * @throws MissingSearchAttributesError
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const missing = await findMissing(connection, namespace);
  if (missing.length === 0) return [];
  try {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing.map((name) => [name, keywordType])),
    });
  } catch (error) {
    if (isDenied(error)) throw new MissingSearchAttributesError(namespace, missing, error);
    throw error;
  }
  return missing;
}

async function findMissing(connection: Connection, namespace: string): Promise<string[]> {
  const names = Object.values(searchAttributes);
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    return names.filter((name) => customAttributes?.[name] === undefined);
  } catch (error) {
    if (!isDenied(error)) throw error;
    const known = await Promise.all(names.map((name) => isKnown(connection, namespace, name)));
    return names.filter((_, index) => known[index] !== true);
  }
}

/** Whoever may not list them may ask for runs by them: a query by one that is not there is invalid. */
async function isKnown({ workflowService }: Connection, namespace: string, name: string): Promise<boolean> {
  try {
    await workflowService.countWorkflowExecutions({ namespace, query: `${name} = "none"` });
    return true;
  } catch (error) {
    if (readServerFault(error)?.code === invalidArgument) return false;
    throw error;
  }
}

function isDenied(error: unknown): boolean {
  return denials.has(readServerFault(error)?.code ?? 0);
}
