import { splitFile } from './frontmatter.ts';
import { locateRemark } from './locate-remark.ts';
import { compareProblems } from './problem.ts';
import type { Problem } from './problem.ts';
import type { Remark } from './remark.ts';
import { parseYaml } from './yaml-document.ts';

/** Places what somebody else has to say of the keys of a file, for what only a run can tell. */
export function placeRemarks(file: string, text: string, remarks: Remark[]): Problem[] {
  const split = splitFile(file, text);
  if ('message' in split) return [split];
  const yaml = parseYaml(split);
  if (Array.isArray(yaml)) return yaml;
  return remarks.map((remark) => locateRemark(yaml, remark)).sort(compareProblems);
}
