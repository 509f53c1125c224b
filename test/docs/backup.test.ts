import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openHistory } from '../../history/database.ts';
import { listRuns } from '../../history/queries.ts';
import { createRoles } from '../../history/roles.ts';
import { dropDatabase, renameInUrl } from '../../dev/postgres-database.ts';
import { actcoreEnv, envOf, expectExit, runActcore, writeFolder } from '../cli/support/actcore.ts';
import { readTestSetting } from '../support/database.ts';
import { writeDefinition } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { findPostgresTools } from '../support/postgres-tools.ts';
import { actcoreCommand } from '../support/program.ts';
import { startRunner } from '../support/runner.ts';
import type { Runner } from '../support/runner.ts';
import { healthy, sendJson } from '../support/target.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { listBlocks } from './support/runbooks.ts';

const tools = await findPostgresTools();
const reason = 'missing' in tools ? ` (skipped: ${tools.missing})` : '';

describe.skipIf('missing' in tools)(`the runbook of backup and restore, as it stands${reason}`, () => {
  const suffix = randomBytes(4).toString('hex');
  const id = `test.backup-${suffix}`;
  const restored = `test_restored_${suffix}`;
  const restoredUrl = renameInUrl(readTestSetting('ACTCORE_TEST_DATABASE_URL'), restored);
  const folder = makeTempFolder();
  let runner: Runner;
  let readerUrl: URL;

  beforeAll(async () => {
    runner = await startRunner();
    runner.target.answer = (_, response) => sendJson(response, healthy);
    await createRoles(runner.history);
    const login = `reader_${suffix}`;
    await runner.history.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'; GRANT actcore_reader TO ${login}`);
    readerUrl = new URL(runner.databaseUrl);
    [readerUrl.username, readerUrl.password] = [login, 'secret'];
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'actcore'), `#!/bin/sh\nexec '${actcoreCommand.join("' '")}' "$@"\n`, { mode: 0o755 });
    await runner.startWorker();
  });
  afterAll(async () => {
    await runner.client.schedule.getHandle(id).delete();
    await dropDatabase(readTestSetting('ACTCORE_TEST_DATABASE_URL'), restored);
    await runner.close();
  });

  /** Runs the block of that name, each command of which has to succeed. */
  const runBlock = (mark: string, databaseUrl = runner.databaseUrl) => {
    const block = listBlocks().find((one) => one.file === 'backup.md' && one.mark === mark);
    if (block === undefined) throw new Error(`backup.md has no block ${mark}`);
    const env = {
      ...actcoreEnv({ ...envOf(runner), ACTCORE_DATABASE_URL: databaseUrl }),
      ...{ ADMIN_URL: runner.databaseUrl, READER_URL: readerUrl.href, RESTORED_URL: restoredUrl },
      PATH: [join(folder, 'bin'), 'folder' in tools ? tools.folder : '', process.env['PATH']].join(delimiter),
    };
    const text = block.text.replaceAll('actcore_restored', restored);
    return execa('bash', ['-euo', 'pipefail', '-c', text], { cwd: folder, env, extendEnv: false, timeout: 50_000 });
  };
  const countCompleted = async () => (await runner.runsOf(id)).filter(({ outcome }) => outcome === 'completed').length;

  it('a reader backs up; what is restored, and filled from Temporal, has every row, and adds up', async () => {
    const since = new Date().toISOString();
    const definitions = writeFolder({ 'a.md': writeDefinition(id, { schedule: '{ every: 2s }' }) });
    const waived = ['--allow-uncanaried', '--reason', 'a test of the backup'];
    expectExit(await runActcore(['apply', definitions, ...waived], { env: envOf(runner) }), 0);
    await eventually(async () => (await countCompleted()) > 0);
    await runBlock('backup');
    const before = await countCompleted();
    await eventually(async () => (await countCompleted()) > before);
    const schedule = runner.client.schedule.getHandle(id);
    await schedule.pause();
    await eventually(async () => (await schedule.describe()).info.runningActions.length === 0);

    await runBlock('restore');
    const history = openHistory(restoredUrl);
    try {
      const summarize = (rows: Awaited<ReturnType<typeof listRuns>>) =>
        rows.map(({ id: run, outcome }) => [run, outcome]);
      const was = summarize(await runner.runsOf(id));
      expect(await listRuns(history, { definitionId: id, limit: 1_000 })).not.toHaveLength(was.length);
      const refilled = await runBlock('refill', restoredUrl);
      expect(refilled.stdout).toMatch(/^\d+ executions: [1-9]\d* rows written, [1-9]\d* were there, 0 still going/m);
      expect(summarize(await listRuns(history, { definitionId: id, limit: 1_000 }))).toEqual(was);
      const { rows } = await history.query<{ owner: string }>(
        `SELECT DISTINCT relowner::regrole::text AS owner FROM pg_class WHERE relnamespace = 'actcore'::regnamespace`,
      );
      expect(rows).toEqual([{ owner: 'actcore_migrator' }]);
      await expect(history.query('DELETE FROM actcore.journal')).rejects.toThrow(/append-only/);
    } finally {
      await history.end();
    }
    const audit = (...more: string[]) => {
      const env = { ...envOf(runner), ACTCORE_DATABASE_URL: restoredUrl };
      return runActcore(['audit', id, '--since', since, '--settle', '3s', ...more], { env });
    };
    // Ticks go on to be due, and to be paused.
    await eventually(async () => (await audit('--fix')).exitCode === 0 && (await audit()).exitCode === 0);
  }, 60_000);
});
