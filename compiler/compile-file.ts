import { checkDefinition } from './check-definition.ts';
import { buildDefinition, deriveUuid } from './definition.ts';
import type { Definition } from './definition.ts';
import { describeIssue } from './describe-issue.ts';
import { splitFile } from './frontmatter.ts';
import { locateRemark } from './locate-remark.ts';
import { compareProblems } from './problem.ts';
import type { Problem } from './problem.ts';
import type { Remark } from './remark.ts';
import { definitionSchema } from './schema.ts';
import { parseYaml } from './yaml-document.ts';

/** What came of one file. `claims` are the identities it asks for, also where other keys are wrong. */
export interface CompiledFile {
  definition?: Definition;
  problems: Problem[];
  claims: Claim[];
}

/** An identity that only one file may have, and where the file says so. */
export interface Claim {
  key: 'id' | 'uuid';
  value: string;
  file: string;
  line: number;
  column: number;
}

/** More in one file are cut: it is not a definition that someone is writing. */
const mostProblems = 200;

/** Compiles one file, all of its problems at once. */
export function compileFile(file: string, text: string): CompiledFile {
  const split = splitFile(file, text);
  if ('message' in split) return { problems: [split], claims: [] };
  const yaml = parseYaml(split);
  if (Array.isArray(yaml)) return { problems: yaml, claims: [] };
  const parsed = definitionSchema.safeParse(yaml.data);
  const issues = parsed.success ? [] : parsed.error.issues;
  const remarks = [...issues.flatMap((issue) => describeIssue(issue, yaml.data)), ...checkDefinition(yaml.data)];
  const problems = remarks
    .slice(0, mostProblems)
    .map((remark) => locateRemark(yaml, remark))
    .sort(compareProblems);
  const claims = readClaims(yaml.data, (remark) => locateRemark(yaml, remark));
  if (!parsed.success || problems.length > 0) return { problems, claims };
  return { definition: buildDefinition(file, parsed.data, yaml.data, split.body), problems, claims };
}

function readClaims(data: Record<string, unknown>, locate: (remark: Remark) => Problem): Claim[] {
  const { id, uuid } = data;
  const claim = (key: 'id' | 'uuid', value: string, statedBy: 'id' | 'uuid'): Claim => {
    const { file, line, column } = locate({ path: [statedBy], message: '' });
    return { key, value, file, line, column };
  };
  const claims: Claim[] = [];
  if (typeof id === 'string') claims.push(claim('id', id, 'id'));
  if (typeof uuid === 'string') claims.push(claim('uuid', uuid.toLowerCase(), 'uuid'));
  else if (typeof id === 'string') claims.push(claim('uuid', deriveUuid(id), 'id'));
  return claims;
}
