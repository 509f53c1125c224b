import { isAlias, isMap, isPair, isScalar, isSeq } from 'yaml';
import type { Document, Node, Scalar } from 'yaml';
import type { Problem } from './problem.ts';
import { formatPath } from './remark.ts';
import type { Path, Remark } from './remark.ts';
import type { YamlFile } from './yaml-document.ts';

/**
 * Turns a remark into a problem with a place: the character inside the value where that can be told, the value, the
 * key, or for what is missing the nearest thing above it that is there.
 */
export function locateRemark(yaml: YamlFile, remark: Remark): Problem {
  const { split } = yaml;
  const { line, column } = remark.at ?? findPlace(yaml, remark);
  const problem: Problem = {
    ...{ file: split.file, line, column, path: formatPath(remark.path) },
    severity: remark.isWarning === true ? 'warning' : 'error',
    message: remark.message,
  };
  return remark.hint === undefined ? problem : { ...problem, hint: remark.hint };
}

function findPlace(yaml: YamlFile, remark: Remark): { line: number; column: number } {
  const { line, col } = yaml.split.readLines().linePos(findOffset(yaml, remark));
  return { line, column: col };
}

function findOffset({ split, readDocument }: YamlFile, remark: Remark): number {
  const found = findNode(readDocument(), remark.path);
  if (found === undefined) return 0;
  const inYaml = (offset: number): number => split.yamlOffset + offset;
  if (!found.isWhole) return inYaml(startOf(found.key ?? found.value));
  if (remark.atKey === true && found.key) return inYaml(startOf(found.key));
  if (remark.offset !== undefined && isScalar(found.value)) {
    return inYaml(startOf(found.value) + offsetInSource(found.value, remark.offset, split.yaml));
  }
  return inYaml(startOf(found.value ?? found.key));
}

/** A node on a path; `isWhole` tells whether the path goes on to something that is not there. */
interface FoundNode {
  key: Node | undefined;
  value: Node | undefined;
  isWhole: boolean;
}

/** Undefined where nothing but the top of the file is found. */
function findNode(document: Document, path: Path): FoundNode | undefined {
  let found: FoundNode | undefined;
  let node: unknown = document.contents;
  for (const step of path) {
    const resolved = isAlias(node) ? node.resolve(document) : node;
    const pair = isMap(resolved)
      ? resolved.items.find((item) => isPair(item) && keyOf(item.key) === String(step))
      : undefined;
    const next: unknown = isSeq(resolved) ? resolved.items[Number(step)] : pair?.value;
    if (pair === undefined && next === undefined) return found && { ...found, isWhole: false };
    node = next;
    found = { key: pair?.key as Node | undefined, value: (next ?? undefined) as Node | undefined, isWhole: true };
  }
  return found;
}

function keyOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : '';
}

function startOf(node: Node | undefined): number {
  return node?.range?.[0] ?? 0;
}

/**
 * Where a character of the value stands, counted from the start of the scalar: exact for text on one line without
 * escapes, for `|` blocks, and for folded lines without blank lines between; else 0, because the characters have moved.
 */
function offsetInSource(scalar: Scalar, offset: number, yaml: string): number {
  const [start, end] = scalar.range ?? [0, 0];
  const source = yaml.slice(start, end);
  const value = String(scalar.value);
  if (source === value) return offset;
  if (source.slice(1, -1) === value && /^["']/.test(source)) return offset + 1;
  const isBlock = scalar.type === 'BLOCK_LITERAL' || scalar.type === 'BLOCK_FOLDED';
  const rows = readRows(source, isBlock);
  if (scalar.type === 'BLOCK_LITERAL') return findInRows(rows, value, offset, '\n');
  return scalar.type === 'BLOCK_FOLDED' || scalar.type === 'PLAIN' ? findInRows(rows, value, offset, ' ') : 0;
}

/** A line of a scalar without its indent, and where in the scalar it begins. */
interface Row {
  text: string;
  start: number;
}

function readRows(source: string, isBlock: boolean): Row[] {
  const firstRow = isBlock ? source.split('\n')[1] : '';
  const blockIndent = /^ */.exec(firstRow ?? '')?.[0].length ?? 0;
  let start = 0;
  const rows: Row[] = [];
  for (const line of source.split('\n')) {
    const indent = isBlock ? Math.min(blockIndent, line.length) : line.length - line.trimStart().length;
    rows.push({ text: line.slice(indent).replace(/\r$/, ''), start: start + indent });
    start += line.length + 1;
  }
  return isBlock ? rows.slice(1) : rows;
}

/** 0 where the rows, put together, are not the value: then something was folded or escaped in a way not known here. */
function findInRows(rows: Row[], value: string, offset: number, joint: string): number {
  const joined = rows.map((row) => row.text).join(joint);
  if (joined.trimEnd() !== value.trimEnd()) return 0;
  let passed = 0;
  for (const row of rows) {
    if (offset <= passed + row.text.length) return row.start + offset - passed;
    passed += row.text.length + joint.length;
  }
  return 0;
}
