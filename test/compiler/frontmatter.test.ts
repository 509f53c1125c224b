import { readFileSync } from 'node:fs';
import matter from 'gray-matter';
import { afterEach, describe, expect, test } from 'vitest';
import { splitFile } from '../../compiler/frontmatter.ts';
import { change, compile, compileGood, listProblems, sample } from './sample.ts';

const opening = 'begin with a line `---`, then the keys, then a line `---`';

describe('what is not a definition file', () => {
  test.each([
    ['', 'a.md:1:1: the file is empty; expected frontmatter between two lines `---`'],
    [' \n\n', 'a.md:1:1: the file is empty; expected frontmatter between two lines `---`'],
    ['# Just prose\n', `a.md:1:1: the file has no frontmatter; its first line must be \`---\` -> ${opening}`],
    ['----\nid: x\n----\n', `a.md:1:1: the file has no frontmatter; its first line must be \`---\` -> ${opening}`],
    [
      '\n---\nid: x\n---\n',
      'a.md:1:1: the file has no frontmatter; its first line must be `---` -> remove what stands above the `---`',
    ],
    ['---', 'a.md:1:1: the frontmatter that opens here is never closed -> end it with a line `---`'],
    ['---\nid: x\nprose', 'a.md:1:1: the frontmatter that opens here is never closed -> end it with a line `---`'],
    [
      '---\nid: x\n--- # end\nprose',
      'a.md:3:1: the frontmatter ends at `--- # end`; expected a line `---` and nothing else',
    ],
    ['---\nid: x\n-----\nprose', 'a.md:3:1: the frontmatter ends at `-----`; expected a line `---` and nothing else'],
    [
      '---\n---\n',
      'a.md:1:1: the frontmatter is empty -> it needs `id`, `title`, `owner`, `kind`, `schedule`, `budget`, and `sweep` or `watchdog`',
    ],
    [
      '---\n# id: x\n---\n',
      'a.md:1:1: the frontmatter is empty -> it needs `id`, `title`, `owner`, `kind`, `schedule`, `budget`, and `sweep` or `watchdog`',
    ],
    ['---\n- id\n---\n', 'a.md:2:1: the frontmatter is not a mapping; expected lines `key: value`'],
    ['---\njust text\n---\n', 'a.md:2:1: the frontmatter is not a mapping; expected lines `key: value`'],
    ['---\nid: x\0\n---\n', 'a.md:2:6: the file holds a NUL byte or half a character; expected UTF-8 text'],
  ])('%j', (text, problem) => {
    expect(listProblems(text)).toEqual([problem]);
  });

  test('a file over 1 MiB', () => {
    const large = `${sample}${'prose\n'.repeat(180_000)}`;
    expect(listProblems(large)).toEqual(['a.md:1:1: the file is larger than 1 MiB; a definition is a page of text']);
    expect(listProblems(`${sample}${'é'.repeat(600_000)}`)).toHaveLength(1);
    expect(listProblems(`${sample}${'e'.repeat(600_000)}`)).toEqual([]);
  });
});

describe('frontmatter in another language is refused and not run', () => {
  const flags = globalThis as { actcoreEvaluated?: boolean };
  const code = '(globalThis.actcoreEvaluated = true, { id: "x" })';

  afterEach(() => {
    delete flags.actcoreEvaluated;
  });

  test('gray-matter as it comes would run it', () => {
    matter(`---js\n${code}\n---\n`);
    expect(flags.actcoreEvaluated).toBe(true);
  });

  test.each(['js', 'javascript', 'JS', ' js', 'json', 'coffee', 'cson', 'toml', 'constructor', '__proto__'])(
    '---%s',
    (language) => {
      expect(listProblems(`---${language}\n${code}\n---\n`)).toEqual([
        `a.md:1:4: frontmatter in \`${language.trim()}\` is refused; only YAML is accepted -> let the first line be \`---\` and nothing else`,
      ]);
      expect(flags.actcoreEvaluated).toBeUndefined();
    },
  );

  test.each(['---yaml', '---yml', '---  '])('%j is YAML', (fence) => {
    expect(compileGood(change('---', fence)).id).toBe('team.nightly-sweep');
    expect(listProblems(change('owner: team', 'owner: 7', change('---', fence)))[0]).toMatch(/^a\.md:4:8: /);
  });
});

describe('the way a file is stored does not matter', () => {
  const bad = change('owner: team', 'owner: 7');

  test('CRLF keeps lines and columns', () => {
    expect(listProblems(bad.replaceAll('\n', '\r\n'))).toEqual(listProblems(bad));
  });

  test('a byte order mark keeps lines and columns', () => {
    expect(listProblems(`\uFEFF${bad}`)).toEqual(listProblems(bad));
    expect(listProblems(`\uFEFF${change('---', '---js')}`)[0]).toMatch(/^a\.md:1:4: /);
  });

  test('CRLF and a byte order mark compile to the same definition', () => {
    expect(compileGood(`\uFEFF${sample.replaceAll('\n', '\r\n')}`)).toEqual(compileGood(sample));
  });

  test('offsets in block scalars survive CRLF', () => {
    const text = change('body.status == "lock_skipped"', '|\n      true &&\n      nope').replaceAll('\n', '\r\n');
    expect(listProblems(text)[0]).toMatch(/^a\.md:19:7: unknown name/);
  });
});

test.each(['---', '---yaml', '--- yaml ', '---  '])(
  'a file that begins with %j is cut where gray-matter cuts it',
  (first) => {
    const bodies = ['', '\n', ' ', '\nprose', '\n\n# prose\n---\nmore', ' \nprose', '\r\nprose'];
    for (const body of bodies) {
      for (const keys of ['', 'id: x', '# id: x', 'id: x\nkey:\n  - 1\n']) {
        for (const lineEnd of ['\n', '\r\n']) {
          const text = `${first}\n${keys}\n---${body}`.replaceAll(/\r?\n/g, lineEnd);
          const split = splitFile('a.md', text);
          if ('message' in split) throw new Error(split.message);
          const engines = { yaml: { parse: (): object => ({}) } };
          const expected = matter(text, { language: 'yaml', engines });
          expect(split.yaml).toBe(expected.matter.replace(/\r$/, ''));
          expect(split.body).toBe(expected.content.replaceAll('\r\n', '\n'));
          expect(text.slice(split.yamlOffset, split.yamlOffset + split.yaml.length)).toBe(split.yaml);
        }
      }
    }
  },
);

test('the same text twice gives the same problems twice', () => {
  const text = change('owner: team', 'owner: @');
  expect(compile(text)).toEqual(compile(text));
  expect(listProblems(text)).toHaveLength(1);
  expect(listProblems(change('---', '---js'))).toEqual(listProblems(change('---', '---js')));
});

test('the prose is kept as it is, thematic breaks too', () => {
  expect(compileGood(`${sample}\none\n---\ntwo\n`).runbook).toMatch(/^# What this does\n[^]*\n\none\n---\ntwo\n$/);
});

test('the shipped definition compiles', () => {
  const name = 'the-custodian.state-hub-consistency-sweep';
  const file = new URL(`../../activity-definitions/${name}.md`, import.meta.url);
  const definition = compileGood(readFileSync(file, 'utf8'));
  expect(definition).toMatchObject({ id: name, enabled: true, uuid: '7c4e9a12-8f3b-4d5e-9c6a-1b2d3e4f5a6b' });
  expect(definition.order.budget).toEqual({ maxSeconds: 300, hardTimeoutMs: 360_000 });
  expect(Object.keys(definition.sources)).toEqual(['local-timer']);
  const headings = definition.runbook.split('\n').filter((line) => line.startsWith('#'));
  expect(headings).toEqual(['# What this does', '## On automation error', '## On assessment failure']);
});
