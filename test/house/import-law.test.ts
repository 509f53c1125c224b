import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { beforeAll, expect, it } from 'vitest';
import { makeTempFolder } from '../support/temp-folder.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

const allowed = [
  ['compiler', '../workflows/contract.ts'],
  ['compiler', '../expressions/cel.ts'],
  ['history', '../workflows/contract.ts'],
  ['simulation', '../compiler/server-limits.ts'],
  ['simulation', '../workflows/contract.ts'],
  ['importers', '../compiler/cron.ts'],
  ['importers', '../ticks/ranges.ts'],
  ['compiler', '../ticks/ranges.ts'],
  ['activities', '../ticks/ticks.ts'],
  ['schedules', '../ticks/ticks.ts'],
  ['ticks', '../workflows/contract.ts'],
  ['comparison', '../workflows/contract.ts'],
  ['reconcile', '../comparison/compare.ts'],
  ['workflows', './contract.ts'],
  ['workflows', '@temporalio/workflow'],
  ['activities', '../history/ledger.ts'],
  ['activities', '../workflows/contract.ts'],
  ['schedules', '../compiler/definition.ts'],
  ['reconcile', '../history/ledger.ts'],
  ['reconcile', '../schedules/observe.ts'],
  ['reconcile', '../activities/tick.ts'],
  ['outside', '../history/outside-runs.ts'],
  ['outside', '../activities/judgement.ts'],
  ['outside', '../ticks/ticks.ts'],
  ['worker', '../reconcile/pass.ts'],
  ['worker', '../activities/index.ts'],
  ['cli/commands', '../../schedules/plan.ts'],
] as const;

const forbidden = [
  ['compiler', '../history/ledger.ts'],
  ['compiler', 'node:fs'],
  ['compiler', 'pg'],
  ['expressions', '../compiler/cron.ts'],
  ['history', '../schedules/plan.ts'],
  ['history', '@temporalio/client'],
  ['workflows', 'node:crypto'],
  ['workflows', 'fs'],
  ['workflows', 'zod'],
  ['workflows', '../history/ledger.ts'],
  ['activities', '../compiler/cron.ts'],
  ['activities', '../schedules/plan.ts'],
  ['simulation', '../schedules/desired.ts'],
  ['simulation', 'node:timers'],
  ['importers', 'node:fs'],
  ['importers', 'cron-parser'],
  ['importers', '../history/ledger.ts'],
  ['compiler', '../importers/crontab.ts'],
  ['compiler', '../simulation/model.ts'],
  ['ticks', '../compiler/cron.ts'],
  ['comparison', '../history/queries.ts'],
  ['comparison', '../ticks/ticks.ts'],
  ['comparison', 'pg'],
  ['comparison', 'node:timers'],
  ['history', '../comparison/compare.ts'],
  ['schedules', '../comparison/compare.ts'],
  ['history', '../ticks/ticks.ts'],
  ['schedules', '../activities/index.ts'],
  ['schedules', '../cli/output.ts'],
  ['reconcile', '../activities/index.ts'],
  ['reconcile', '../cli/output.ts'],
  ['schedules', '../reconcile/pass.ts'],
  ['activities', '../reconcile/pass.ts'],
  ['history', '../reconcile/pass.ts'],
  ['outside', '../compiler/definition.ts'],
  ['outside', '../activities/index.ts'],
  ['outside', '../cli/output.ts'],
  ['outside', '@temporalio/client'],
  ['history', '../outside/spool.ts'],
  ['activities', '../outside/spool.ts'],
  ['worker', '../cli/output.ts'],
  ['dev', '../cli/output.ts'],
  ['examples/state-hub', '../../history/ledger.ts'],
  ['cli', '../test/support/runner.ts'],
  ['cli', '../drill/stage.ts'],
  ['cli/commands', '../../test/support/runner.ts'],
] as const;

const nameOf = (folder: string, specifier: string) => `${folder}/${specifier.replaceAll(/\W/g, '_')}.ts`;

let faults: Set<string>;

/** Lints one file for each import, under the project's rules, in one run. */
beforeAll(async () => {
  const root = makeTempFolder();
  copyFileSync(join(checkout, '.oxlintrc.json'), join(root, '.oxlintrc.json'));
  for (const [folder, specifier] of [...allowed, ...forbidden]) {
    const file = join(root, nameOf(folder, specifier));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `import { x } from '${specifier}';\n\nexport const y = x;\n`);
  }
  const oxlint = join(checkout, 'node_modules/oxlint/bin/oxlint');
  const { stdout } = await execa(process.execPath, [oxlint, '--format', 'json', '.'], { cwd: root, reject: false });
  const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string; filename: string }[] };
  const found = diagnostics.filter(({ code }) => code.includes('no-restricted-imports'));
  faults = new Set(found.map(({ filename }) => filename));
});

it.for(forbidden)('%s may not import %s', ([folder, specifier]) => {
  expect(faults).toContain(nameOf(folder, specifier));
});

it.for(allowed)('%s may import %s', ([folder, specifier]) => {
  expect(faults).not.toContain(nameOf(folder, specifier));
});
