import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readAnswer } from '../../activities/answer.ts';
import { measureCpuMs } from '../support/slack.ts';

const read = (text: string) => readAnswer({ status: 200, headers: {}, text }, (same) => same);

it('JSON without secrets is stored exactly as it came', () => {
  const json = fc.oneof(
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify(value, null, 2)),
    fc.bigInt().map(String),
    fc.constantFrom(' [ 1.10 , -0.0e+5, "\\u0041\\/" ] ', '{"__proto__":{"a":1},"":""}', '""', '0'),
  );
  fc.assert(
    fc.property(json, (text) => {
      fc.pre(!/\\u(0000|d[89a-f])/i.test(text) && text.isWellFormed());
      expect(read(text).stored.json).toBe(text);
    }),
  );
});

it('what is stored is always JSON that Postgres can hold, and means the same but for what it cannot hold', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), fc.boolean(), (text, isJson) => {
      const { stored } = read(isJson ? JSON.stringify({ [text]: [text] }) : `<${text}>`);
      const kept = isJson ? text : `<${text}>`;
      const held = kept.replaceAll('\0', '\uFFFD').toWellFormed();
      expect(JSON.parse(stored.json)).toEqual(isJson ? { [held]: [held] } : held);
      expect(stored.json).not.toMatch(/\\u(0000|d[89a-f])/i);
    }),
  );
});

it('text that is not JSON has no body and is stored as a string', () => {
  expect(read('<p>\n  busy</p>')).toEqual({
    answer: { status: 200, headers: {}, body: undefined, start: '<p> busy</p>' },
    stored: { status: 200, json: '"<p>\\n  busy</p>"' },
  });
});

it('a body nested half a million deep is kept as text instead of breaking the run', () => {
  const text = '['.repeat(500_000) + ']'.repeat(500_000);
  const { answer, stored } = read(text);
  expect(answer.body).toBeUndefined();
  expect(stored.json).toBe(JSON.stringify(text));
});

it('a megabyte of JSON is read in well under a second', async () => {
  const text = JSON.stringify(Array.from({ length: 40_000 }, (_, index) => ({ index, name: `"\\${index}` })));
  expect(await measureCpuMs(() => expect(read(text).stored.json).toBe(text))).toBeLessThan(1_000);
});
