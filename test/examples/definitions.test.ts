import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compilePaths } from '../../cli/definition-files.ts';
import { checkout } from '../support/program.ts';

const folder = join(checkout, 'examples/definitions');
const files = readdirSync(folder).filter((name) => name !== 'README.md');
const readme = readFileSync(join(folder, 'README.md'), 'utf8');

it('every definition lints clean, also under --strict', async () => {
  const { definitions, problems } = await compilePaths([folder], { strict: true });
  expect(problems).toEqual([]);
  expect(definitions.map(({ id }) => `${id}.md`).toSorted()).toEqual(files.toSorted());
});

describe.each(files)('%s', (file) => {
  it('is not enabled, stands in the README, and its variables are explained there', async () => {
    const { definitions } = await compilePaths([join(folder, file)]);
    expect(definitions[0]?.enabled).toBe(false);
    expect(readme).toContain(`(${file})`);
    const order = definitions[0]?.order;
    const databases = order?.kind === 'watchdog' ? order.watchdog.database : [];
    for (const name of [...(order?.env ?? []), ...(order?.secrets ?? []), ...databases]) {
      expect(readme).toContain(`| \`${name}\``);
    }
  });

  it('acts on nothing until somebody says so', async () => {
    const { definitions } = await compilePaths([join(folder, file)]);
    const order = definitions[0]?.order;
    if (order?.kind !== 'watchdog') return;
    expect(order.watchdog.destructiveOk).toBe(false);
    expect(new Set(order.watchdog.checks.map(({ mode }) => mode))).toEqual(new Set(['dry_run']));
  });

  it('has a runbook that says what to do, not only that something is to be done', () => {
    const text = readFileSync(join(folder, file), 'utf8');
    for (const heading of ['# What this does', '## On automation error', '## On assessment failure']) {
      const [, section = ''] = text.split(`\n${heading}\n`);
      expect(section.split('\n#')[0]?.length).toBeGreaterThan(200);
    }
  });
});
