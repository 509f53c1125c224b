import type { Connection } from '@temporalio/client';
import { addAttributes, listMissingAttributes } from '../schedules/search-attributes.ts';
import { readServerFault } from '../schedules/server-fault.ts';
import { Refusal } from './refusal.ts';

/** Permission denied, and unimplemented: what an account may not do, and what Temporal Cloud has no API for here. */
const grpcDenied = new Set([7, 12]);

/**
 * Registers the search attributes of runs where the namespace lacks some. Who may not even ask for them goes on: the server
 * itself refuses a run whose attribute it does not know.
 *
 * @throws Refusal that names those that somebody else has to make
 */
export async function requireSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const missing = await unlessDenied(listMissingAttributes(connection, namespace));
  if (missing === undefined || missing.length === 0) return;
  const added = await unlessDenied(addAttributes(connection, namespace, missing).then(() => missing));
  if (added !== undefined) return;
  const named = missing.map((name) => ` --name ${name} --type Keyword`).join('');
  throw new Refusal(
    `The namespace ${namespace} lacks the search attributes ${missing.join(', ')}, and this account may not make them`,
    `Have them made: temporal operator search-attribute create --namespace ${namespace}${named}\n` +
      'In Temporal Cloud: tcld namespace search-attributes add, with --search-attribute NAME=Keyword for each.',
  );
}

async function unlessDenied<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  try {
    return await asked;
  } catch (error) {
    const fault = readServerFault(error);
    if (fault === undefined || !grpcDenied.has(fault.code)) throw error;
    return undefined;
  }
}
