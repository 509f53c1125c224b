import { suggestName } from './closest-name.ts';

/** What a request may say about its own run, besides the variables that the definition declares. */
const runVariables = [
  'budget.max_seconds',
  'definition.id',
  'run.id',
  'run.scheduled_at',
  'run.source',
  'run.trigger',
] as const;

/** A name that `${...}` may hold without being declared. */
export type RunVariable = (typeof runVariables)[number];

/** The names that `env:` and `secrets:` of one definition declare. */
export interface DeclaredVariables {
  env: readonly string[];
  secrets: readonly string[];
  /** In a remedy: the columns of the finding, as `finding.COLUMN`; `any` where they are not known beforehand. */
  finding?: readonly string[] | 'any';
  /** In a request for each target: says why `${target.FIELD}`, or `${target}` itself, can not stand for all of them. */
  findTargetFault?: (field: string | undefined) => NameFault | undefined;
}

/** What is wrong with a name inside `${...}`. */
export interface NameFault {
  message: string;
  hint: string;
}

/** Spelling of a variable of the worker, as `env:` and `secrets:` list them. */
export const environmentName = /^[A-Z_][A-Z0-9_]*$/;

const noTarget: NameFault = {
  message: '`${target}` is known only in `sweep.request`, and there only with `each:`',
  hint: 'say by `each: { targets: [...] }` what the targets are',
};

/** Says what is wrong with a name inside `${...}`; nothing when it may stand there. */
export function findNameFault(name: string, declared: DeclaredVariables): NameFault | undefined {
  const { finding = [], findTargetFault } = declared;
  const target = /^target(?:\.(.*))?$/.exec(name);
  if (target) return findTargetFault ? findTargetFault(target[1]) : noTarget;
  if (finding === 'any' && /^finding\.[A-Za-z_]\w*$/.test(name)) return undefined;
  const columns = finding === 'any' ? [] : finding.map((column) => `finding.${column}`);
  const targets = findTargetFault ? ['target'] : [];
  const allowed = [...runVariables, ...targets, ...columns, ...declared.env, ...declared.secrets];
  if (allowed.includes(name)) return undefined;
  if (name.trim() === '') {
    return { message: '`${}` names no variable', hint: `allowed: ${allowed.join(', ')}` };
  }
  const trimmed = name.trim();
  if (trimmed !== name && allowed.includes(trimmed)) {
    return { message: `\`\${${name}}\` has spaces around its name`, hint: `write \`\${${trimmed}}\`` };
  }
  if (environmentName.test(name)) {
    const hint = suggestName(name, allowed, `declared: ${[...declared.env, ...declared.secrets].join(', ') || 'none'}`);
    return { message: `\`\${${name}}\` is not declared; add it to env: or secrets:`, hint };
  }
  const hint = suggestName(name, allowed, `allowed: ${allowed.join(', ')}`);
  return { message: `\`\${${name}}\` is not a variable that a request can use`, hint };
}
