import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseAnyPort } from '../../dev/ports.ts';
import { startPostgres } from '../../dev/postgres.ts';
import { choosePostgresAccount } from '../../dev/postgres-account.ts';
import { findPostgresBinaries } from '../../dev/postgres-binaries.ts';
import { findConnectFault } from '../../dev/postgres-database.ts';
import { runScript } from '../support/script.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const asRoot = process.getuid?.() === 0;
const nobody = 65_534;
const closedReason = 'another account cannot reach this checkout or Node';

describe.runIf(asRoot)('started by root', () => {
  it('runs as another account, below a folder that is closed to it', async () => {
    const closed = makeTempFolder();
    expect(statSync(closed).mode & 0o777).toBe(0o700);
    const stateDir = join(closed, 'checkout', '.actcore');
    const server = await startPostgres({ stateDir, port: await chooseAnyPort(), fast: true });
    const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
    expect(/^Uid:\s+(\d+)/m.exec(status)?.[1]).not.toBe('0');
    expect(/^CapPrm:\s+(\w+)/m.exec(status)?.[1]).toMatch(/^0+[246]$/);
    expect(await findConnectFault(server.url, 2_000)).toBeUndefined();
    await server.stop();
  });

  it('keeps no capability where every folder is open', async () => {
    const open = makeTempFolder();
    chmodSync(open, 0o755);
    const account = choosePostgresAccount({ uid: 0, binary: '/usr/bin/env', dataFolder: join(open, 'x'), env: {} });
    expect(account.wrap('postgres', ['-D'])).toMatchObject({
      file: 'postgres',
      args: ['-D'],
      account: { uid: account.ids!.uid },
    });
  });

  it('runs programs that lie in a closed folder and that only root may execute', async () => {
    const closed = makeTempFolder();
    const native = join(closed, 'native');
    cpSync((await findPostgresBinaries())!.folder, native, { recursive: true, verbatimSymlinks: true });
    spawnSync('chmod', ['-R', 'go-rwx', native]);
    const [binary, dataFolder] = [join(native, 'bin', 'postgres'), join(closed, 'state')];
    const { wrap } = choosePostgresAccount({ uid: 0, binary, dataFolder, env: process.env });
    const { file, args } = wrap(binary, ['--version']);
    expect(spawnSync(file, args, { encoding: 'utf8' })).toMatchObject({ status: 0 });
  });

  it('says what to install when a folder is closed and setpriv is not there', () => {
    const [binary, dataFolder] = ['/usr/bin/env', join(makeTempFolder(), 'state')];
    expect(() => choosePostgresAccount({ uid: 0, binary, dataFolder, env: { PATH: '/nowhere' } })).toThrow(
      /no setpriv/,
    );
  });

  it('keeps the account that owns the data already', () => {
    const folder = makeTempFolder();
    chownSync(folder, 12_345, 12_345);
    const question = { uid: 0, binary: '/usr/bin/env', dataFolder: folder, env: process.env };
    expect(choosePostgresAccount(question).ids).toMatchObject({ uid: 12_345, name: 'uid 12345' });
  });
});

describe('started by an ordinary user', () => {
  it('runs as that user', async ({ skip }) => {
    const stateDir = makeTempFolder();
    const code = `
      import { readFileSync } from 'node:fs';
      import { chooseAnyPort } from './dev/ports.ts'; import { startPostgres } from './dev/postgres.ts';
      const server = await startPostgres({ stateDir: ${JSON.stringify(stateDir)}, port: await chooseAnyPort(), fast: true });
      const url = await server.createDatabase('own');
      console.log(/^Uid:\\s+(\\d+)/m.exec(readFileSync('/proc/' + server.pid + '/status', 'utf8'))[1], url.endsWith('/own'));
      await server.stop();`;
    const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const account = asRoot ? { uid: nobody, gid: nobody } : own;
    if (asRoot && !isOpenHere()) skip(closedReason);
    if (asRoot) chownSync(stateDir, nobody, nobody);
    const env = { ...process.env, HOME: stateDir, TMPDIR: stateDir };
    const { stdout, stderr } = await runScript(code, { ...account, env }).finished;
    expect(`${stdout.trim()}${stderr}`).toBe(`${account.uid} true`);
  });

  it.runIf(asRoot)('says whose the state is when another account made it', async ({ skip }) => {
    if (!isOpenHere()) skip(closedReason);
    const stateDir = makeTempFolder();
    mkdirSync(join(stateDir, 'postgres'));
    chmodSync(stateDir, 0o755);
    const code = `
      import { startPostgres } from './dev/postgres.ts';
      await startPostgres({ stateDir: ${JSON.stringify(stateDir)}, port: 1 }).catch((error) => console.log(error.message));`;
    const env = { ...process.env, HOME: '/tmp', TMPDIR: '/tmp' };
    const { stdout } = await runScript(code, { uid: nobody, gid: nobody, env }).finished;
    expect(stdout).toContain('belongs to another account (uid 0)');
  });
});

function isOpenHere(): boolean {
  return isOpen(import.meta.dirname) && isOpen(dirname(process.execPath));
}

/** Whether everybody may pass every folder on the way. */
function isOpen(folder: string): boolean {
  return (statSync(folder).mode & 1) === 1 && (dirname(folder) === folder || isOpen(dirname(folder)));
}
