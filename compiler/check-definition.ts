import { findClosestName } from '../expressions/closest-name.ts';
import { checkBudget } from './check-budget.ts';
import { checkListen } from './check-listen.ts';
import { checkRetry } from './check-retry.ts';
import { checkSweep } from './check-sweep.ts';
import type { Remark } from './remark.ts';
import { kinds, mostVariables } from './schema.ts';

/**
 * The checks that need more than one section. They take the frontmatter as it was read and pass over what is not
 * well-formed, so that a wrong type in one place hides no problem in another.
 */
export function checkDefinition(data: Record<string, unknown>): Remark[] {
  const env = readNames(data['env']);
  const secrets = readNames(data['secrets']);
  const remarks = [...findRepeats(env, 'env'), ...findRepeats(secrets, 'secrets'), ...checkKind(data)];
  for (const [index, name] of secrets.entries()) {
    if (!env.includes(name)) continue;
    const message = `\`${name}\` is in env: and in secrets:`;
    remarks.push({ path: ['secrets', index], message, hint: 'keep it in secrets: if it must not be seen' });
  }
  remarks.push(...checkSweep(data['sweep'], data['budget'], { env, secrets }));
  remarks.push(...checkMoves(data), ...checkBudget(data), ...checkRetry(data), ...checkListen(data));
  return remarks;
}

/** The variables that the frontmatter declares, as it was read. */
export function readDeclared(data: Record<string, unknown>): { env: string[]; secrets: string[] } {
  return { env: readNames(data['env']), secrets: readNames(data['secrets']) };
}

/** A definition has the section of its kind and no other; where a kind is missing or unknown the schema has said so. */
function checkKind(data: Record<string, unknown>): Remark[] {
  const kind = kinds.find((candidate) => candidate === data['kind']);
  if (kind === undefined) return [];
  const remarks: Remark[] = [];
  if (data[kind] === undefined) {
    const closest = findClosestName(kind, Object.keys(data));
    const hint = closest === undefined ? `a ${kind} has a section \`${kind}:\`` : `did you mean it by \`${closest}\`?`;
    remarks.push({ path: [kind], message: `\`${kind}\` is missing`, hint });
  }
  for (const other of kinds) {
    if (other === kind || data[other] === undefined) continue;
    const message = `the kind is ${kind}, so \`${other}\` cannot stand here`;
    remarks.push({ path: [other], atKey: true, message, hint: `remove it, or write \`kind: ${other}\`` });
  }
  return remarks;
}

function checkMoves({ id, moved_from: moved }: Record<string, unknown>): Remark[] {
  const message = `\`moved_from\` names this definition itself`;
  if (moved === id && typeof id === 'string') return [{ path: ['moved_from'], message }];
  if (!Array.isArray(moved)) return [];
  return moved.flatMap((item: unknown, index) => (item === id ? [{ path: ['moved_from', index], message }] : []));
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
