import { checkRequest, isMapping } from './check-request.ts';
import type { Remark } from './remark.ts';
import { mostVariables } from './schema.ts';

/**
 * The checks that need more than one section. They take the frontmatter as it was read and pass over what is not
 * well-formed, so that a wrong type in one place hides no problem in another.
 */
export function checkDefinition(data: Record<string, unknown>): Remark[] {
  const env = readNames(data['env']);
  const secrets = readNames(data['secrets']);
  const remarks = [...findRepeats(env, 'env'), ...findRepeats(secrets, 'secrets')];
  for (const [index, name] of secrets.entries()) {
    if (!env.includes(name)) continue;
    const message = `\`${name}\` is in env: and in secrets:`;
    remarks.push({ path: ['secrets', index], message, hint: 'keep it in secrets: if it must not be seen' });
  }
  const sweep = data['sweep'];
  const request = isMapping(sweep) ? sweep['request'] : undefined;
  if (isMapping(request)) remarks.push(...checkRequest(request, { env, secrets }));
  return remarks;
}

/** A single name in place of a list is the schema's problem; here it counts as declared, so that it is one problem. */
function readNames(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value)
    ? value.slice(0, mostVariables).map((item: unknown) => (typeof item === 'string' ? item : ''))
    : [];
}

function findRepeats(names: string[], key: string): Remark[] {
  return names.flatMap((name, index) =>
    name !== '' && names.indexOf(name) < index ? [{ path: [key, index], message: `\`${name}\` is here twice` }] : [],
  );
}
