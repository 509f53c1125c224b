import type { DeclaredVariables, NameFault } from '../expressions/variables.ts';
import { isMapping } from './mapping.ts';
import type { Path, Remark } from './remark.ts';

/** The most targets that a definition may list; a requested list has the same limit. */
const mostTargets = 10_000;

const longestName = 500;

/** Checks a list of targets as it was read: one kind, each with a name, no name twice. */
export function checkTargets(targets: readonly unknown[], key: string, path: Path): Remark[] {
  if (targets.length === 0) return [{ path, message: 'there are no targets, so this would never do anything' }];
  if (targets.length > mostTargets) {
    const message = `${targets.length} targets are more than a sweep takes, which is ${mostTargets}`;
    return [{ path, message, hint: 'split the sweep' }];
  }
  const remarks: Remark[] = [];
  const seen = new Map<string, number>();
  for (const [index, target] of targets.entries()) {
    if (isMapping(target) !== isMapping(targets[0])) {
      const [first, other] = isMapping(target) ? ['a text', 'a mapping'] : ['a mapping', 'a text'];
      const message = `the first target is ${first}, and this one is ${other}`;
      remarks.push({ path: [...path, index], message, hint: 'write all of them in the same way' });
      continue;
    }
    const name = nameOf(target, key);
    const at = isMapping(target) ? [...path, index, key] : [...path, index];
    if (typeof name !== 'string' || name.trim() === '' || name.length > longestName || /\p{Cc}/u.test(name)) {
      const fault = describeName(target, key, name);
      if (fault) remarks.push({ path: at, ...fault });
    } else if (seen.has(name)) {
      const message = `the target \`${name}\` is here already, as number ${(seen.get(name) ?? 0) + 1}`;
      remarks.push({ path: at, message, hint: 'remove it; each target gets one request' });
    } else {
      seen.set(name, index);
    }
  }
  return remarks;
}

/** A text names itself, a mapping by one of its keys. */
function nameOf(target: unknown, key: string): unknown {
  return isMapping(target) ? target[key] : target;
}

/** Undefined where the target itself has the wrong type, which is the schema's matter. */
function describeName(target: unknown, key: string, name: unknown): Omit<Remark, 'path'> | undefined {
  if (typeof name === 'string')
    return { message: `a target's name is one line of text, at most ${longestName} characters` };
  if (!isMapping(target)) return undefined;
  if (name === undefined) {
    const hint = `add \`${key}\`, or say by \`key:\` which one names a target`;
    return { message: `this target has no \`${key}\`, which names it`, hint };
  }
  return { message: `\`${key}\` names the target and is not text`, hint: 'put quotes around it' };
}

/** Tells which placeholders a request for each target may hold, and notes whether it holds any. */
export function readTargetNames(each: Record<string, unknown>): {
  isUsed: () => boolean;
  findTargetFault: NonNullable<DeclaredVariables['findTargetFault']>;
} {
  const { targets, key: stated } = each;
  const listed: unknown[] = Array.isArray(targets) ? targets : [];
  const key = typeof stated === 'string' ? stated : 'name';
  let isUsed = false;
  const findTargetFault = (field: string | undefined): NameFault | undefined => {
    isUsed = true;
    if (field !== undefined && !/^[A-Za-z_][\w-]*$/.test(field)) {
      return { message: `\`\${target.${field}}\` names no field of a target`, hint: `write \`\${target.${key}}\`` };
    }
    return listed.length === 0 ? undefined : findFieldFault(listed, key, field);
  };
  return { isUsed: () => isUsed, findTargetFault };
}

/** The key that names a target is looked at with the targets themselves. */
function findFieldFault(targets: readonly unknown[], key: string, field: string | undefined): NameFault | undefined {
  const isMapped = isMapping(targets[0]);
  if (field === undefined) {
    if (!isMapped) return undefined;
    return { message: '`${target}` is a mapping here', hint: `write one of its fields, such as \`\${target.${key}}\`` };
  }
  const placeholder = `\`\${target.${field}}\``;
  if (isMapped && field === key) return undefined;
  if (!isMapped) return { message: `the targets are texts, so there is no ${placeholder}`, hint: 'write `${target}`' };
  for (const [index, target] of targets.entries()) {
    if (!isMapping(target)) continue;
    const value = target[field];
    if (typeof value === 'string' || typeof value === 'number') continue;
    const name = nameOf(target, key);
    const which = typeof name === 'string' ? `\`${name}\`` : `number ${index + 1}`;
    return value === undefined
      ? { message: `the target ${which} has no \`${field}\` for ${placeholder}`, hint: 'every target needs it' }
      : { message: `${placeholder} is not text or a number in the target ${which}`, hint: 'put quotes around it' };
  }
  return undefined;
}
