import type { z } from 'zod';
import { findClosestName } from '../expressions/closest-name.ts';
import type { IssueDetail } from './fields.ts';
import { formatPath } from './remark.ts';
import type { Path, Remark } from './remark.ts';
import { definitionSchema } from './schema.ts';

/** A file with more is another kind of file. */
const mostUnknownKeys = 50;

/** Puts an issue of zod into the words of this project; an issue about several unknown keys becomes several remarks. */
export function describeIssue(issue: z.core.$ZodIssue, data: unknown): Remark[] {
  const path = issue.path.map((step) => (typeof step === 'number' ? step : String(step)));
  if (issue.code === 'unrecognized_keys')
    return issue.keys.slice(0, mostUnknownKeys).map((key) => describeUnknownKey(path, key));
  const inner = issue.code === 'invalid_union' ? findInnerIssues(issue) : [];
  if (inner.length > 0) return inner.flatMap((one) => describeIssue(one, data));
  if (issue.code === 'custom') return [describeOwn(path, issue.message, issue.params as IssueDetail | undefined, data)];
  const value = readPath(data, path);
  if (value === undefined) {
    const hint = expectationOf(issue);
    return [{ path, message: `\`${formatPath(path)}\` is missing`, hint }];
  }
  const expectation = expectationOf(issue);
  const message = `\`${formatPath(path)}\` ${showValue(value)}; ${expectation}`;
  const remark: Remark = { path, message };
  if (value === null) return [{ ...remark, atKey: true }];
  const hint = findHint(issue, value);
  return [hint === undefined ? remark : { ...remark, hint }];
}

/** Where a list or a mapping is one of the types that may stand here, what is wrong stands further in. */
function findInnerIssues({ path, errors }: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] {
  const branch = errors.find((issues) => issues.every((issue) => issue.path.length > 0)) ?? [];
  return branch.map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
}

function describeOwn(path: Path, text: string, detail: IssueDetail | undefined, data: unknown): Remark {
  if (detail?.own !== true) {
    return { path, message: `\`${formatPath(path)}\` ${showValue(readPath(data, path))}; ${text}` };
  }
  const { hint, offset, atKey } = detail;
  return {
    path,
    message: text,
    ...(hint === undefined ? {} : { hint }),
    ...(offset === undefined ? {} : { offset }),
    ...(atKey === undefined ? {} : { atKey }),
  };
}

function describeUnknownKey(parent: Path, key: string): Remark {
  const allowed = allowedKeys(definitionSchema, parent);
  const where = parent.length === 0 ? '' : ` in \`${formatPath(parent)}\``;
  const message = `unknown key \`${key}\`${where}`;
  const closest = findClosestName(key, allowed);
  const list = `allowed: ${allowed.join(', ')}`;
  const isMerge = key === '<<';
  const hint = isMerge
    ? 'merge keys are not read; write the keys out'
    : closest === undefined
      ? list
      : `did you mean \`${closest}\`?`;
  return { path: [...parent, key], atKey: true, message, hint };
}

/** Walks down the schema, through what zod wraps around a mapping, to the keys that may stand at a path. */
function allowedKeys(schema: z.core.$ZodType, path: Path): string[] {
  const def = schema._zod.def as z.core.$ZodTypeDef & Record<string, unknown>;
  if (def.type === 'optional' || def.type === 'default') return allowedKeys(def['innerType'] as z.core.$ZodType, path);
  const [step, ...rest] = path;
  if (def.type === 'record') return allowedKeys(def['valueType'] as z.core.$ZodType, rest);
  const shape = (def['shape'] ?? {}) as Record<string, z.core.$ZodType>;
  if (step === undefined) return Object.keys(shape);
  const next = shape[String(step)];
  return next === undefined ? [] : allowedKeys(next, rest);
}

function expectationOf(issue: z.core.$ZodIssue): string {
  if (issue.message.startsWith('expected ')) return issue.message;
  if (issue.code === 'invalid_value') return `expected one of ${issue.values.map(String).join(', ')}`;
  if (issue.code !== 'invalid_type') return issue.message;
  return `expected ${typeNames.get(issue.expected) ?? issue.expected}`;
}

const typeNames: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['boolean', 'true or false'],
  ['object', 'a mapping'],
  ['record', 'a mapping'],
  ['array', 'a list'],
  ['number', 'a number'],
]);

function findHint(issue: z.core.$ZodIssue, value: unknown): string | undefined {
  if (issue.code === 'invalid_value' && typeof value === 'string') {
    const closest = findClosestName(value, issue.values.map(String));
    return closest === undefined ? undefined : `did you mean \`${closest}\`?`;
  }
  if (typeof value === 'number' && issue.message.includes('duration')) return `write ${value}s`;
  if (issue.code === 'invalid_type' && issue.expected === 'boolean' && typeof value === 'string') {
    if (/^(yes|on|true)$/i.test(value)) return 'write `true`';
    if (/^(no|off|false)$/i.test(value)) return 'write `false`';
  }
  return undefined;
}

function showValue(value: unknown): string {
  if (value === null) return 'is empty';
  if (Array.isArray(value)) return 'is a list';
  if (typeof value === 'object') return 'is a mapping';
  if (typeof value === 'string') return value === '' ? 'is empty text' : `is \`${shorten(value)}\``;
  return `is ${JSON.stringify(value)}`;
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}...` : text;
}

function readPath(data: unknown, path: Path): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}
