import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readPlainYaml } from '../../compiler/plain-yaml.ts';
import { sample } from './sample.ts';

const shipped = readFileSync(
  new URL('../../activity-definitions/the-custodian.state-hub-consistency-sweep.md', import.meta.url),
  'utf8',
);
const frontmatterOf = (text: string): string => text.split('---\n')[1] ?? '';

/** What the whole parser says, with the options of the compiler; undefined where it refuses. */
function readWhole(text: string): unknown {
  try {
    return parse(text, { version: '1.2', schema: 'core', merge: false, uniqueKeys: true, logLevel: 'error' });
  } catch {
    return undefined;
  }
}

const rare = `plain: a value with blanks # and a comment
list:
  - one
  - "two" # here
  - { three: 3, four: [5, six] }
nested:
  deeper:
    empty:
    quoted: 'single: # {x}'
  url: http://host:80/path?x=\${a}&y=[1]
block: |
  a: b

    indented # no comment
  last
folded: >-
  one
  two
numbers: { a: 0, b: 7, c: 12, d: 1h30m, e: 2026-12-25 }
words: [true, False, NULL, yes, "no", x]
flow: { a: http://x/y, b: "x, y", c: 'z', d: body.a == 3 }
`;

test.each([frontmatterOf(sample), frontmatterOf(shipped)])(
  'a shipped definition is within the subset and reads as the whole parser reads it',
  (text) => {
    const read = readPlainYaml(text);
    expect(read).toBeDefined();
    expect(read).toEqual(readWhole(text));
  },
);

test.each(rare.split(/\n(?=\w)/))('a construct of the subset reads as the whole parser reads it: %j', (chunk) => {
  const text = `${chunk}\nend: 1\n`;
  expect(readPlainYaml(text)).toBeDefined();
  expect(readPlainYaml(text)).toEqual(readWhole(text));
});

describe('what the subset leaves to the whole parser', () => {
  test.each([
    'a: 1\na: 2\n',
    'a: &x 1\nb: *x\n',
    '<<: { a: 1 }\n',
    'a: "\\u0000"\n',
    'a: !!str 1\n',
    'a: b: c\n',
    'a:\n- b\n',
    'a: one\n  two\n',
    'a: "one\n  two"\n',
    'a: { b: 1,\n  c: 2 }\n',
    'a: 1e3\n',
    'a: 0x10\n',
    'a: 99999999999999999999\n',
    '? a\n: b\n',
    'a:\tb\n',
    'a: b\r\n',
    '__proto__: 1\n',
    'null: 1\n',
    '--- \na: 1\n',
    ' a: 1\n',
    '- a\n',
    '',
    '# nothing\n',
    'a: |2\n   b\n',
    'a: >\n  b\n\n  c\n',
    'a: |\n  b',
  ])('%j', (text) => {
    expect(readPlainYaml(text)).toBeUndefined();
  });
});

const pieces = fc.constantFrom(
  ...[
    '\n',
    '\n  ',
    '\n    ',
    ' ',
    '  ',
    ': ',
    ':',
    '- ',
    '-',
    '#',
    ' #',
    '"',
    "'",
    '{',
    '}',
    '[',
    ']',
    ', ',
    ',',
    '|',
    '>',
    '|-',
    '>-',
  ],
  ...[
    'a',
    'b: c',
    'key:',
    '1',
    '0',
    '007',
    '1.5',
    '30s',
    '1e3',
    '.',
    'null',
    'true',
    '~',
    '$',
    '${X}',
    '*x',
    '&x',
    '!',
    '?',
    '%',
    '@',
    '`',
    '\\',
    '\t',
    '\r',
    'é',
    '\u2028',
    '💥',
    '---',
    '...',
    '<<: ',
  ],
);

const edits = fc.array(fc.record({ at: fc.nat(700), length: fc.nat(6), piece: pieces }), {
  minLength: 1,
  maxLength: 5,
});

test('whatever is edited in, what is read at all is read as the whole parser reads it', { timeout: 120_000 }, () => {
  const seeds = [frontmatterOf(sample), rare];
  let read = 0;
  const law = fc.property(fc.constantFrom(...seeds), edits, (seed, list) => {
    const text = list.reduce((old, { at, length, piece }) => {
      const start = at % (old.length + 1);
      return old.slice(0, start) + piece + old.slice(start + length);
    }, seed);
    const plain = readPlainYaml(text);
    if (plain === undefined) return;
    read += 1;
    expect(plain).toEqual(readWhole(text));
  });
  fc.assert(law, { numRuns: 6_000 });
  expect(read).toBeGreaterThan(300);
});

test('text made of pieces alone is read as the whole parser reads it, or left to it', { timeout: 120_000 }, () => {
  const law = fc.property(fc.array(pieces, { minLength: 1, maxLength: 14 }), (list) => {
    const text = `a: ${list.join('')}\nz: 1\n`;
    const plain = readPlainYaml(text);
    fc.pre(plain !== undefined);
    expect([text, plain]).toEqual([text, readWhole(text)]);
  });
  fc.assert(law, { numRuns: 1_500, maxSkipsPerRun: 60 });
});
