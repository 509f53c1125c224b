import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { prepareCompiler } from '../../compiler/compile-files.ts';
import { renderProblem } from '../../compiler/problem.ts';
import { compile, sample } from './sample.ts';
import { fullWatchdogSample } from './watchdog-sample.ts';

beforeAll(() => prepareCompiler([{ file: 'a.md', text: fullWatchdogSample }]));

const shipped = readFileSync(
  new URL('../../activity-definitions/the-custodian.state-hub-consistency-sweep.md', import.meta.url),
  'utf8',
);
const seeds = [sample, shipped.slice(0, shipped.indexOf('# What this does')), fullWatchdogSample];

const pieces = [
  '',
  '\n',
  '---',
  '---js\n',
  ': ',
  '- ',
  '\t',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  '${',
  '}',
  '&a ',
  '*a',
  '!!x ',
  '|',
  '>',
  '#',
  '<<: ',
  '\0',
  '\r',
  '\uFEFF',
  '\uD800',
  '💥',
  '0',
  '.inf',
  'null',
  '~',
  '? ',
  '__proto__: 1\n',
  'constructor: 1\n',
  '%YAML 1.1\n',
  '...\n',
  '*/0',
  'findings ',
  'returning *',
  '/*',
  ';',
  ':id',
  '9'.repeat(40),
];

/** Cuts out a piece and puts another in its place, several times. */
const edits = fc.array(
  fc.record({
    at: fc.nat(2_000),
    length: fc.nat(30),
    piece: fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 8 })),
  }),
  { minLength: 1, maxLength: 6 },
);

function mutate(seed: string, list: { at: number; length: number; piece: string }[]): string {
  return list.reduce((text, { at, length, piece }) => {
    const start = at % (text.length + 1);
    return text.slice(0, start) + piece + text.slice(start + length);
  }, seed);
}

test(
  'a mutated file either compiles or has problems, each at a place inside it; nothing is thrown',
  { timeout: 120_000 },
  () => {
    const law = fc.property(fc.constantFrom(...seeds), edits, (seed, list) => {
      const text = mutate(seed, list);
      const { definitions, problems } = compile(text);
      expect(definitions.length).toBe(problems.some(({ severity }) => severity === 'error') ? 0 : 1);
      const rows = text.replace(/^\uFEFF/, '').split('\n');
      for (const problem of problems) {
        expect(problem.line).toBeGreaterThanOrEqual(1);
        expect(problem.line).toBeLessThanOrEqual(rows.length);
        expect(problem.column).toBeGreaterThanOrEqual(1);
        expect(problem.column).toBeLessThanOrEqual((rows[problem.line - 1]?.length ?? 0) + 1);
        expect(renderProblem(problem, text).split('\n').length).toBeLessThanOrEqual(4);
      }
    });
    fc.assert(law, { numRuns: 1_500 });
  },
);

test('a line of the frontmatter taken away, doubled or emptied is a problem or still right, never an exception', () => {
  for (const seed of seeds) {
    const rows = seed.split('\n');
    for (const index of rows.keys()) {
      const row = rows[index] ?? '';
      for (const replacement of [
        [],
        [row, row],
        [''],
        [row.slice(0, row.indexOf(':') + 1)],
        [`${row}x`],
        [` ${row}`],
      ]) {
        const { definitions, problems } = compile(rows.toSpliced(index, 1, ...replacement).join('\n'));
        expect(definitions.length + problems.length).toBeGreaterThan(0);
      }
    }
  }
});

test('large and hostile files come back within seconds', { timeout: 120_000 }, () => {
  const start = performance.now();
  const head = sample.slice(0, sample.lastIndexOf('---'));
  const hostile = [
    `${head}zebra: ${'['.repeat(300_000)}\n---\n`,
    `${head}${Array.from({ length: 90_000 }, (_, index) => `k${index}: 1`).join('\n')}\n---\n`,
    `${head}z: &z 1\ny: [${'*z,'.repeat(100_000)}]\n---\n`,
    `${head}zebra: {${'a,'.repeat(200_000)}}\n---\n`,
    `${head}title2: ${'${a}'.repeat(100_000)}\n---\n`,
    sample.replace('Nightly sweep', `"${'a '.repeat(200_000)}"`),
    sample.replace('[HUB_URL]', `[${Array.from({ length: 30_000 }, (_, index) => `A${index}`).join(', ')}]`),
    sample.replace('${HUB_URL}/sweep', `\${HUB_URL}/${'${x}'.repeat(50_000)}`),
    sample.replace('0 3 * * *', `${'1,'.repeat(200_000)}1 * * * *`),
    sample.replace('body.status ==', `${'!'.repeat(200_000)}body.status ==`),
  ];
  for (const text of hostile) expect(compile(text).problems.length).toBeGreaterThan(0);
  expect(performance.now() - start).toBeLessThan(100_000);
});
