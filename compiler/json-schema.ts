import { z } from 'zod';
import { keyDescriptions } from './key-descriptions.ts';
import { isMapping } from './mapping.ts';
import { definitionSchema, kinds } from './schema.ts';

/**
 * The JSON Schema (draft 2020-12) of the frontmatter, for editors: it completes keys and refuses unknown ones. What
 * needs more than one key, and what stands inside a text, only the compiler checks.
 */
function buildJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(definitionSchema, { target: 'draft-2020-12', io: 'input', unrepresentable: 'any' });
  const sections = kinds.map((kind) => ({ properties: { kind: { const: kind } }, required: [kind] }));
  return {
    ...schema,
    title: 'The frontmatter of an activity definition',
    properties: describeKeys(schema.properties ?? {}, ''),
    oneOf: sections,
  };
}

/** Puts a description beside every key that has one, at any depth. */
function describeKeys(properties: Record<string, unknown>, parent: string): Record<string, unknown> {
  const described = Object.entries(properties).map(([key, value]) => {
    if (!isMapping(value)) return [key, value] as const;
    const path = `${parent}${key}`;
    const description = keyDescriptions[path];
    return [
      key,
      { ...(description === undefined ? {} : { description }), ...value, ...describeInner(value, path) },
    ] as const;
  });
  return Object.fromEntries(described);
}

/** What may stand further in: keys, and under `*` those of the values of a mapping whose keys are free. */
function describeInner(value: Record<string, unknown>, path: string): Record<string, unknown> {
  const { properties, additionalProperties: free } = value;
  const keys = isMapping(properties) ? { properties: describeKeys(properties, `${path}.`) } : {};
  return isMapping(free) ? { ...keys, additionalProperties: { ...free, ...describeInner(free, `${path}.*`) } } : keys;
}

/** The schema as its file holds it; `actcore schema` prints this. */
export function renderJsonSchema(): string {
  return `${JSON.stringify(buildJsonSchema(), null, 2)}\n`;
}
