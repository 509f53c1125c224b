import { TemplateError, parseOnce, renderTemplate } from '../expressions/template.ts';
import type { Lookup } from '../expressions/template.ts';
import type { RunVariable } from '../expressions/variables.ts';
import { runIdOf } from '../history/run-id.ts';
import type { JsonValue } from '../workflows/contract.ts';
import { splitMembers } from './json-text.ts';
import type { RequestScope } from './request.ts';

/** Gives the value of any placeholder of a request; a target that is no text or number goes into a text as JSON. */
export function createLookup(scope: RequestScope): Lookup {
  return (name) => {
    if (scope.finding !== undefined && name.startsWith(columnPrefix)) return readColumn(name, scope.finding);
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

/**
 * Fills in a body about a finding, as JSON text: a text that is the placeholder of a column and nothing else becomes what
 * Postgres makes of the column in JSON, so a number stays a number, to the last digit.
 */
export function writeBody(body: JsonValue, scope: RequestScope, lookup: Lookup): string {
  if (Array.isArray(body)) return `[${body.map((item) => writeBody(item, scope, lookup)).join(',')}]`;
  if (typeof body === 'object' && body !== null) {
    const members = Object.entries(body).map(
      ([key, item]) => `${JSON.stringify(key)}:${writeBody(item, scope, lookup)}`,
    );
    return `{${members.join(',')}}`;
  }
  if (typeof body !== 'string') return JSON.stringify(body);
  const { parts } = parseOnce(body);
  const only = parts.length === 1 ? parts[0] : undefined;
  const name = only !== undefined && 'name' in only && only.name.startsWith(columnPrefix) ? only.name : undefined;
  const value = JSON.stringify(renderTemplate(body, lookup));
  return name === undefined || scope.finding === undefined
    ? value
    : (splitMembers(scope.finding.json).get(name.slice(columnPrefix.length)) ?? value);
}

const columnPrefix = 'finding.';

/**
 * Undefined where the finding has no such column.
 *
 * @throws TemplateError for NULL, which is no text, and in a body may mean that something is to be deleted
 */
function readColumn(name: string, { columns }: NonNullable<RequestScope['finding']>): string | undefined {
  const value = columns.get(name.slice(columnPrefix.length));
  if (value === null) throw new TemplateError(`\`\${${name}}\` is NULL`, name);
  return value;
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
