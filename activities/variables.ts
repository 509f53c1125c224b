import { TemplateError, renderText } from '../expressions/template.ts';
import type { Order, RequestTemplate } from '../workflows/contract.ts';
import { reasons } from './reasons.ts';
import { type Redact, createRedactor } from './redaction.ts';
import { encodeBasic } from './request.ts';

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
  const secrets = order.secrets.map((name) => [name, values.get(name) ?? ''] as const);
  return { values, redact: createRedactor([...secrets, ...findBasicAuth(order, values)]) };
}

/** What Basic authentication sends is as good as the password, however short that is. */
function findBasicAuth(order: Order, values: ReadonlyMap<string, string>): (readonly [name: string, value: string])[] {
  return listRequests(order).flatMap((template) => renderBasicAuth(template, values));
}

function listRequests(order: Order): RequestTemplate[] {
  if (order.kind === 'watchdog') {
    return order.watchdog.checks.flatMap(({ remedy }) => (remedy && 'request' in remedy ? [remedy.request] : []));
  }
  const { request, each } = order.sweep;
  const first = each === undefined || Array.isArray(each.targets) ? [] : [each.targets.request];
  return [request, ...first];
}

function renderBasicAuth({ auth }: RequestTemplate, values: ReadonlyMap<string, string>) {
  if (auth === undefined || !('basic' in auth)) return [];
  const { username, password } = auth.basic;
  const lookup = (name: string) => values.get(name);
  try {
    return [['auth.basic', encodeBasic(renderText(username, lookup), renderText(password, lookup))] as const];
  } catch (error) {
    // What only a run or a target can fill in is no secret of this worker.
    if (error instanceof TemplateError) return [];
    throw error;
  }
}
