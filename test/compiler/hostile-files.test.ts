import { readFileSync, readdirSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { compileFiles, prepareCompiler } from '../../compiler/compile-files.ts';
import { renderProblem } from '../../compiler/problem.ts';
import { change, compileGood, listProblems, sample } from './sample.ts';
import { watchdogSample } from './watchdog-sample.ts';
import { measureCpuMs } from '../support/slack.ts';

const folder = new URL('../fixtures/mutated/', import.meta.url);
const names = readdirSync(folder).sort();
const now = new Date('2026-11-21T00:00:00Z');

beforeAll(() => prepareCompiler([{ file: 'a.md', text: 'watchdog' }]));

describe('200 mutated files, made by test/fixtures/mutate.ts', () => {
  test('there are 200 of them, and most are wrong', () => {
    const files = names.map((name) => ({ file: name, text: readFileSync(new URL(name, folder), 'utf8') }));
    const wrong = files.filter((file) => compileFiles([file], { now }).definitions.length === 0);
    expect(files).toHaveLength(200);
    expect(wrong.length).toBeGreaterThan(120);
  });

  test.each(names)('%s: a definition, or errors each at a place inside the file, within a second', (name) => {
    const text = readFileSync(new URL(name, folder), 'utf8');
    const before = process.cpuUsage();
    const { definitions, problems } = compileFiles([{ file: name, text }], { now });
    expect(process.cpuUsage(before).user / 1_000).toBeLessThan(1_000);
    const isWrong = problems.some(({ severity }) => severity === 'error');
    expect(definitions.length).toBe(isWrong ? 0 : 1);
    const rows = text.replace(/^\uFEFF/, '').split('\n');
    for (const problem of problems) {
      expect(problem.line).toBeGreaterThanOrEqual(1);
      expect(problem.line).toBeLessThanOrEqual(rows.length);
      expect(problem.column).toBeGreaterThanOrEqual(1);
      expect(problem.column).toBeLessThanOrEqual((rows[problem.line - 1]?.length ?? 0) + 1);
      expect(renderProblem(problem, text).split('\n').length).toBeLessThanOrEqual(4);
    }
  });

  test('all at once they are what they are one by one, but for what they claim together', () => {
    const files = names.map((name) => ({ file: name, text: readFileSync(new URL(name, folder), 'utf8') }));
    const { definitions } = compileFiles(files, { now });
    expect(new Set(definitions.map(({ id }) => id)).size).toBe(definitions.length);
  });
});

describe('files that mean harm, or were saved by another program', () => {
  test('10 MB are refused without being read', async () => {
    const text = `${sample}${'x'.repeat(10_000_000)}`;
    const refusal = ['a.md:1:1: the file is larger than 1 MiB; a definition is a page of text'];
    expect(await measureCpuMs(() => expect(listProblems(text)).toEqual(refusal))).toBeLessThan(1_000);
  });

  test('a YAML bomb is refused', async () => {
    const levels = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const bomb = levels.map((name, index) => {
      const inner = index === 0 ? 'lol' : `*${levels[index - 1]}`;
      return `${name}: &${name} [${Array.from({ length: 10 }, () => inner).join(', ')}]`;
    });
    const text = change('owner: team', `owner: team\n${bomb.join('\n')}`);
    expect(await measureCpuMs(() => expect(listProblems(text).length).toBeGreaterThan(0))).toBeLessThan(1_000);
  });

  test('a NUL byte is told at its place', () => {
    expect(listProblems(change('Nightly sweep', 'Nightly\0sweep'))).toEqual([
      'a.md:3:15: the file holds a NUL byte or half a character; expected UTF-8 text',
    ]);
  });

  test('CRLF and a byte order mark change nothing, in the SQL neither', () => {
    for (const text of [sample, watchdogSample]) {
      const { revision, contractHash } = compileGood(text).order;
      const other = compileGood(`\uFEFF${text.replaceAll('\n', '\r\n')}`).order;
      expect([other.revision, other.contractHash]).toEqual([revision, contractHash]);
    }
  });

  test('a tab that indents is told', () => {
    expect(listProblems(change('  request:', '\trequest:')).join('\n')).toContain('a tab cannot indent');
  });

  test('a key twice is told at the second', () => {
    expect(listProblems(change('owner: team', 'owner: team\nowner: other'))).toEqual([
      'a.md:5:1: this key is here twice -> keep one of the two',
    ]);
  });

  test('anchors and aliases are read, and mean what they stand for', () => {
    const anchored = change('{ cron: "0 3 * * *" }', '&t { cron: "0 3 * * *" }');
    const aliased = anchored.replace('sweep:\n', 'sources: { local-timer: *t }\nsweep:\n');
    const written = change('sweep:\n', 'sources: { local-timer: { cron: "0 3 * * *" } }\nsweep:\n');
    expect(compileGood(aliased).sources).toEqual(compileGood(written).sources);
  });

  test('merge keys are refused, for they are not YAML 1.2', () => {
    const text = change('{ max_seconds: 300 }', '{ <<: { max_seconds: 300 } }');
    expect(listProblems(text).join('\n')).toContain('merge keys are not read; write the keys out');
  });
});
