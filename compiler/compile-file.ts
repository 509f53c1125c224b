import { buildSpecific } from './behaviour.ts';
import { checkDefinition, readDeclared } from './check-definition.ts';
import { checkDst } from './check-dst.ts';
import { checkRunbook } from './check-runbook.ts';
import { checkWatchdog } from './check-watchdog.ts';
import { buildDefinition, deriveUuid } from './definition.ts';
import type { Definition } from './definition.ts';
import { describeIssue } from './describe-issue.ts';
import { splitFile } from './frontmatter.ts';
import { locateRemark } from './locate-remark.ts';
import { compareProblems } from './problem.ts';
import type { Problem } from './problem.ts';
import type { Remark } from './remark.ts';
import { readSections } from './runbook.ts';
import { definitionSchema } from './schema.ts';
import { parseYaml } from './yaml-document.ts';

/** What came of one file. `claims` are the identities it asks for, also where other keys are wrong. */
export interface CompiledFile {
  definition?: Definition;
  problems: Problem[];
  claims: Claim[];
}

/**
 * An identity that only one file may have, or may have had; `locate` finds where the file says so, which costs a
 * second reading.
 */
export interface Claim {
  key: 'id' | 'uuid' | 'moved_from';
  value: string;
  locate: () => Problem;
}

/** More in one file are cut: it is not a definition that someone is writing. */
const mostProblems = 200;

/** What a file is compiled with, beside its text; `strict` makes an error of every warning. */
export interface Surroundings {
  strict: boolean;
  now: Date;
}

/** Compiles one file, all of its problems at once. Warnings alone leave it its definition. */
export function compileFile(file: string, text: string, { strict, now }: Surroundings): CompiledFile {
  const split = splitFile(file, text);
  if ('message' in split) return { problems: [split], claims: [] };
  const yaml = parseYaml(split);
  if (Array.isArray(yaml)) return { problems: yaml, claims: [] };
  const parsed = definitionSchema.safeParse(yaml.data);
  const issues = parsed.success ? [] : parsed.error.issues;
  const sections = readSections(split.body, split.bodyLine);
  const watchdog = checkWatchdog(yaml.data, sections, readDeclared(yaml.data));
  const remarks = [
    ...issues.flatMap((issue) => describeIssue(issue, yaml.data)),
    ...checkDefinition(yaml.data),
    ...checkDst(yaml.data, now),
    ...watchdog.remarks,
    ...checkRunbook(sections, split.bodyLine),
  ];
  const locate = (remark: Remark): Problem => locateRemark(yaml, strict ? { ...remark, isWarning: false } : remark);
  const problems = remarks.slice(0, mostProblems).map(locate).sort(compareProblems);
  const hasError = !parsed.success || problems.some(({ severity }) => severity === 'error');
  const specific = hasError ? undefined : buildSpecific(parsed.data, watchdog.statements);
  if (hasError || specific === undefined) return { problems, claims: readClaims(yaml.data, locate) };
  const definition = buildDefinition(file, parsed.data, yaml.data, split.body, specific, now.getUTCFullYear());
  return { definition, problems, claims: readClaims(yaml.data, locate, definition.uuid) };
}

/** `derivedUuid` spares a definition that is good the deriving of it once more. */
function readClaims(data: Record<string, unknown>, locate: (remark: Remark) => Problem, derivedUuid?: string): Claim[] {
  const { id, uuid, moved_from: moved } = data;
  const claim = (key: Claim['key'], value: string, ...path: (string | number)[]): Claim => {
    return { key, value, locate: () => locate({ path, message: '' }) };
  };
  const claims: Claim[] = [];
  if (typeof id === 'string') claims.push(claim('id', id, 'id'));
  if (typeof uuid === 'string') claims.push(claim('uuid', uuid.toLowerCase(), 'uuid'));
  // What has moved bears the uuid of its former id, which it claims below.
  else if (typeof id === 'string' && moved === undefined)
    claims.push(claim('uuid', derivedUuid ?? deriveUuid(id), 'id'));
  if (typeof moved === 'string' && moved !== id) claims.push(claim('moved_from', moved, 'moved_from'));
  if (!Array.isArray(moved)) return claims;
  for (const [index, old] of moved.entries()) {
    if (typeof old === 'string' && old !== id) claims.push(claim('moved_from', old, 'moved_from', index));
  }
  return claims;
}
