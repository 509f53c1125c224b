import { parseOnce, renderTemplate } from '../expressions/template.ts';
import type { Lookup } from '../expressions/template.ts';
import type { RunVariable } from '../expressions/variables.ts';
import { runIdOf } from '../history/run-id.ts';
import type { JsonValue } from '../workflows/contract.ts';
import type { RequestScope } from './request.ts';

/** Gives the value of any placeholder of a request; a target that is no text or number goes into a text as JSON. */
export function createLookup(scope: RequestScope): Lookup {
  return (name) => {
    const target = readTarget(name, scope);
    if (target === undefined || target === null) return scope.values.get(name) ?? describeRun(name, scope);
    return typeof target === 'string' || typeof target === 'number' ? target : JSON.stringify(target);
  };
}

/** Fills in a body; a text that is the placeholder of a target and nothing else becomes that value, of whatever type. */
export function renderBody(body: JsonValue, scope: RequestScope, lookup: Lookup): JsonValue {
  if (Array.isArray(body)) return body.map((item) => renderBody(item, scope, lookup));
  if (typeof body === 'object' && body !== null) {
    return Object.fromEntries(Object.entries(body).map(([key, item]) => [key, renderBody(item, scope, lookup)]));
  }
  if (typeof body !== 'string') return body;
  const { parts } = parseOnce(body);
  const only = parts.length === 1 ? parts[0] : undefined;
  const target = only !== undefined && 'name' in only ? readTarget(only.name, scope) : undefined;
  return target ?? renderTemplate(body, lookup);
}

/** Undefined where the name is not one of a target, or the target has no such field. */
function readTarget(name: string, { target }: RequestScope): JsonValue | undefined {
  if (name === 'target') return target;
  if (!name.startsWith('target.') || typeof target !== 'object' || target === null || Array.isArray(target)) {
    return undefined;
  }
  const field = name.slice('target.'.length);
  return Object.hasOwn(target, field) ? target[field] : undefined;
}

function describeRun(name: string, { order, firing }: RequestScope): string | number | undefined {
  switch (name as RunVariable) {
    case 'budget.max_seconds':
      return order.budget.maxSeconds;
    case 'definition.id':
      return order.definition.id;
    case 'run.id':
      return runIdOf(order.definition.uuid, firing);
    case 'run.source':
      return firing.source;
    case 'run.trigger':
      return firing.trigger;
    case 'run.scheduled_at':
      return firing.scheduledAt;
  }
}
