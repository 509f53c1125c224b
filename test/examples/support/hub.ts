import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import pg from 'pg';
import type { SweepReport } from '../../../examples/state-hub/report.ts';
import { startStateHub, type StateHub } from '../../../examples/state-hub/server.ts';

/** A State Hub with a folder of clones of its own. */
export interface TestHub {
  hub: StateHub;
  databaseUrl: string;
  reposDir: string;
  /** Makes a bare remote and a clone in the hub's folder, and registers it. */
  addRepo(name: string, files: Record<string, string>): Promise<TestRepo>;
  sweep(request?: object): Promise<SweepReport>;
  query(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
}

/** One clone with its bare remote. */
export interface TestRepo {
  path: string;
  remote: string;
  read(file: string): Promise<string>;
  write(file: string, text: string): Promise<void>;
  /** Commits everything in the clone and pushes it. */
  commit(): Promise<void>;
  /** Commits files to the remote from elsewhere, so that the clone is behind. */
  commitElsewhere(files: Record<string, string>): Promise<void>;
  git(...args: string[]): Promise<string>;
}

export async function startTestHub(databaseUrl: string, options: { token?: string } = {}): Promise<TestHub> {
  const folder = await mkdtemp(join(tmpdir(), 'state-hub-test-'));
  const reposDir = join(folder, 'clones');
  await mkdir(reposDir);
  const hub = await startStateHub({ databaseUrl, reposDir, port: 0, ...options });
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  pool.on('error', () => undefined);
  return {
    hub,
    databaseUrl,
    reposDir,
    addRepo: async (name, files) => {
      const repo = await makeRepo(folder, name, files);
      await pool.query('insert into state_hub.repos (name, path) values ($1, $2)', [name, repo.path]);
      return repo;
    },
    sweep: async (request = {}) => {
      const response = await postSweep(hub.url, request);
      if (response.status !== 200) throw new Error(`HTTP ${response.status}: ${await response.text()}`);
      return (await response.json()) as SweepReport;
    },
    query: async (sql, values = []) => (await pool.query<Record<string, unknown>>(sql, values)).rows,
    close: async () => {
      await hub.close();
      await pool.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function postSweep(url: string, request: object = {}, init: RequestInit = {}): Promise<Response> {
  return fetch(`${url}/consistency/sweep/remote-all`, {
    method: 'POST',
    body: JSON.stringify({ max_seconds: 30, source: 'test', run_id: 'run-1', ...request }),
    ...init,
  });
}

/** The failures as `repo rule` pairs, sorted: what most claims are about. */
export function listRules(report: SweepReport): string[] {
  return report.assessment_failures.map(({ repo, rule }) => `${repo} ${rule}`).sort();
}

/** A git server that takes connections and never says a word. */
export async function startSilentRemote(): Promise<{ url: string; connected: Promise<void>; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  let onConnected: () => void;
  const connected = new Promise<void>((resolve) => (onConnected = resolve));
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined).resume());
    onConnected();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url: `git://127.0.0.1:${(server.address() as AddressInfo).port}/silent`, connected, close };
}

const env = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.invalid',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.invalid',
};

async function makeRepo(folder: string, name: string, files: Record<string, string>): Promise<TestRepo> {
  const remote = join(folder, `${name}.git`);
  const path = join(folder, 'clones', name);
  const git = async (...args: string[]): Promise<string> => (await execa('git', ['-C', path, ...args], { env })).stdout;
  await execa('git', ['init', '--quiet', '--bare', '--initial-branch=main', remote], { env });
  await execa('git', ['clone', '--quiet', remote, path], { env });
  const write = async (file: string, text: string): Promise<void> => {
    await mkdir(dirname(join(path, file)), { recursive: true });
    await writeFile(join(path, file), text);
  };
  const commit = async (): Promise<void> => {
    await git('add', '--all');
    await git('commit', '--quiet', '--allow-empty', '-m', 'Change');
    await git('push', '--quiet', 'origin', 'HEAD:main');
  };
  for (const [file, text] of Object.entries(files)) await write(file, text);
  await commit();
  return {
    path,
    remote,
    git,
    write,
    commit,
    read: (file) => readFile(join(path, file), 'utf8'),
    commitElsewhere: async (later) => {
      const other = await mkdtemp(join(folder, 'elsewhere-'));
      const run = (...args: string[]) => execa('git', ['-C', other, ...args], { env });
      await run('clone', '--quiet', remote, '.');
      for (const [file, text] of Object.entries(later)) await writeFile(join(other, file), text);
      await run('add', '--all');
      await run('commit', '--quiet', '-m', 'Change elsewhere');
      await run('push', '--quiet', 'origin', 'HEAD:main');
    },
  };
}
