import type { Order } from '../workflows/contract.ts';
import { reasons } from './reasons.ts';
import { type Redact, createRedactor } from './redaction.ts';

/** Variables that a definition names and this worker does not have. */
export class MissingVariableError extends Error {
  override readonly name = 'MissingVariableError';
}

/** The values of a definition's variables on this worker, with a way to take the secret ones out of any text. */
export interface Variables {
  values: ReadonlyMap<string, string>;
  redact: Redact;
}

/**
 * Looks up the names that a definition lists, and no others.
 *
 * @throws MissingVariableError naming all that are not set
 */
export function resolveVariables(order: Order, environment: Record<string, string | undefined>): Variables {
  const names = [...order.env, ...order.secrets];
  const missing = names.filter((name) => environment[name] === undefined || environment[name] === '');
  if (missing.length > 0) throw new MissingVariableError(reasons.missingVariables(missing));
  const values = new Map(names.map((name) => [name, environment[name] ?? '']));
  return { values, redact: createRedactor(order.secrets.map((name) => [name, values.get(name) ?? ''])) };
}
