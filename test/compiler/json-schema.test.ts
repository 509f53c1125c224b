import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderJsonSchema } from '../../compiler/json-schema.ts';
import { definitionSchema } from '../../compiler/schema.ts';

const committed = readFileSync(new URL('../../activity-definitions/definition.schema.json', import.meta.url), 'utf8');

test('the committed JSON Schema is the one of the compiler; `actcore schema` writes it', () => {
  expect(committed).toBe(renderJsonSchema());
});

test('every key is described and no other is allowed', () => {
  const schema = JSON.parse(committed) as {
    properties: Record<string, { description?: string }>;
    additionalProperties: boolean;
    required: string[];
  };
  expect(Object.keys(schema.properties)).toEqual(Object.keys(definitionSchema.shape));
  expect(Object.values(schema.properties).every(({ description }) => description !== undefined)).toBe(true);
  expect(schema.additionalProperties).toBe(false);
  expect(schema.required).toEqual(['id', 'title', 'owner', 'kind', 'schedule', 'budget']);
});
