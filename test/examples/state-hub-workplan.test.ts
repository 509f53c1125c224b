import fc from 'fast-check';
import { expect, test } from 'vitest';
import { writeSheet } from '../../examples/state-hub/demo-repos.ts';
import { readFrontmatter, writeRowId } from '../../examples/state-hub/frontmatter.ts';
import { readTaskBlocks } from '../../examples/state-hub/task-blocks.ts';
import { readWorkplan, type Rule } from '../../examples/state-hub/workplan.ts';

const path = 'workplans/a.md';
const rowId = '0b9f6f0e-7f5c-4c39-8a4c-0d8b7f1f2a11';

function rulesOf(text: string): Rule[] {
  return readWorkplan(path, text).findings.map(({ rule }) => rule);
}

function firstMessage(text: string): string {
  return readWorkplan(path, text).findings[0]?.message ?? '';
}

test('it reads a workplan with its tasks', () => {
  const text = writeSheet({
    id: 'WP-0007',
    title: 'Paint',
    status: 'active',
    rowId,
    tasks: [['T-1', 'Sand', 'done']],
  });
  expect(readWorkplan(path, text)).toEqual({
    findings: [],
    workplan: {
      path,
      text,
      id: 'WP-0007',
      title: 'Paint',
      status: 'active',
      rowId,
      tasks: [{ id: 'T-1', title: 'Sand', status: 'done' }],
    },
  });
});

test.each(['js', 'javascript', 'json', 'coffee', 'toml', 'constructor', ' js'])(
  'frontmatter in %s is refused and nothing in it is evaluated',
  (language) => {
    const text = `---${language}\n{ id: (globalThis.evaluated = true), title: "x" }\n---\n`;
    expect(rulesOf(text)).toEqual(['C-01']);
    expect(firstMessage(text)).toContain('only YAML');
    expect('evaluated' in globalThis).toBe(false);
  },
);

test.each([
  ['no frontmatter', '# Title\n', 'there is no frontmatter'],
  ['an empty file', '', 'there is no frontmatter'],
  ['a frontmatter that is not closed', '---\nid: WP-1\ntitle: x\n', 'not closed'],
  ['a closing line with more on it', '---\nid: WP-1\n---x\n', 'not closed'],
  ['broken YAML, with its line in the file', '---\nid: WP-1\ntitle: "x\nstatus: done\n---\n', 'line '],
  ['a key twice', '---\nid: WP-1\nid: WP-2\n---\n', 'unique'],
  ['a list', '---\n- id\n---\n', 'not a mapping'],
  ['a missing title', '---\nid: WP-1\nstatus: done\n---\n', 'title'],
  ['a title that no row can hold', '---\nid: WP-1\ntitle: "a\\0b"\nstatus: done\n---\n', 'title'],
  ['a byte order mark', '\uFEFF---\nid: WP-1\n---\n', 'byte order mark'],
  ['an alias bomb', bomb(), 'alias'],
])('%s is C-01', (_name, text, said) => {
  expect(rulesOf(text)).toEqual(['C-01']);
  expect(firstMessage(text)).toContain(said);
});

test('the line of a YAML fault is counted in the file', () => {
  expect(firstMessage('---\nid: WP-1\ntitle: a\nstatus: {\n---\n')).toMatch(/a\.md: line [45]: /);
});

test.each([
  ['missing', 'title: x\nstatus: done', 'C-02'],
  ['a number', 'id: 7\ntitle: x\nstatus: done', 'C-02'],
  ['a text with spaces', 'id: WP 7\ntitle: x\nstatus: done', 'C-02'],
])('an id that is %s is C-02', (_name, front, rule) => {
  expect(rulesOf(`---\n${front}\n---\n`)).toEqual([rule]);
});

test.each(['wip', 'Done', '1', ''])('the status "%s" is C-03 and the message names the known ones', (status) => {
  const text = `---\nid: WP-1\ntitle: x\nstatus: ${status}\n---\n`;
  expect(rulesOf(text)).toEqual(['C-03']);
  expect(firstMessage(text)).toContain('proposed, active, blocked, done, archived');
});

test.each([
  ['broken YAML', '```task\nid: {\n```', 'line '],
  ['no mapping', '```task\njust text\n```', 'mapping'],
  ['no id', '```task\ntitle: a\nstatus: todo\n```', 'id'],
  ['no title', '```task\nid: T\nstatus: todo\n```', 'title'],
  ['an unknown status', '```task\nid: T\ntitle: a\nstatus: nearly\n```', 'todo, in_progress, done'],
  ['no closing fence', '```task\nid: T\ntitle: a\nstatus: todo\n', 'not closed'],
])('a task block with %s is C-04 at its line', (_name, block, said) => {
  const text = `---\nid: WP-1\ntitle: x\nstatus: done\n---\n\n${block}\n`;
  expect(rulesOf(text)).toEqual(['C-04']);
  expect(firstMessage(text)).toContain('task block at line 7: ');
  expect(firstMessage(text)).toContain(said);
});

test('a task id twice in one file is C-04', () => {
  const block = '```task\nid: T\ntitle: a\nstatus: todo\n```\n';
  expect(readTaskBlocks(block + block, 1).problems).toEqual([
    'task block at line 6: the task id "T" is used twice in this file',
  ]);
});

test('a task block inside a longer fence is an example and no task', () => {
  const block = '```task\nid: T\ntitle: a\nstatus: todo\n```';
  expect(readTaskBlocks(`\`\`\`\`markdown\n${block}\n\`\`\`\`\n\n~~~\n${block}\n~~~\n`, 1)).toEqual({
    tasks: [],
    problems: [],
  });
  expect(readTaskBlocks(`text\n\n  ${block.replaceAll('\n', '\r\n')}`, 1).tasks).toHaveLength(1);
});

test('the row id is added as the last line of the frontmatter and nothing else changes', () => {
  const text = '---\n# a comment\nid:   WP-1 # kept\ntitle: "x"\n---\nbody\n---\nrule\n';
  expect(writeRowId(text, rowId)).toBe(
    `---\n# a comment\nid:   WP-1 # kept\ntitle: "x"\nstate_hub_workstream_id: ${rowId}\n---\nbody\n---\nrule\n`,
  );
});

test('an old row id is replaced, and Windows line ends stay', () => {
  const text = '---\r\nid: WP-1\r\nstate_hub_workstream_id: old\r\ntitle: x\r\n---\r\nbody\r\n';
  expect(writeRowId(text, rowId)).toBe(text.replace('old', rowId));
});

test.each([
  ['a mapping in braces', '---\n{ id: WP-1, title: x }\n---\n'],
  ['a row id over several lines', '---\nid: WP-1\nstate_hub_workstream_id:\n  - a\n---\n'],
])('%s is left alone rather than broken', (_name, text) => {
  expect(readFrontmatter(text).ok).toBe(true);
  expect(writeRowId(text, rowId)).toBeNull();
});

test('whatever the frontmatter holds, a written row id is read back and all else is the same', () => {
  const value = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null));
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), value), fc.string(), (data, body) => {
      const lines = Object.entries(data).map(([key, entry]) => `${key}: ${JSON.stringify(entry)}\n`);
      const text = `---\n${lines.join('')}---\n${body}`;
      const before = readFrontmatter(text);
      const written = writeRowId(text, rowId);
      if (!before.ok) return;
      expect(written).not.toBeNull();
      const after = readFrontmatter(written ?? '');
      expect(after).toMatchObject({
        ok: true,
        body: before.body,
        data: { ...before.data, state_hub_workstream_id: rowId },
      });
    }),
  );
});

function bomb(): string {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level += 1) {
    lines.push(
      `a${level}: &a${level} [${Array(9)
        .fill(`*a${level - 1}`)
        .join(', ')}]`,
    );
  }
  return `---\n${lines.join('\n')}\n---\n`;
}
