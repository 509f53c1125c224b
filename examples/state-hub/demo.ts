import { lstat, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { demoRepos, type DemoRepo } from './demo-repos.ts';
import { runGit } from './git.ts';
import { listWorkstreams, storeWorkstreams } from './read-model.ts';
import { registerRepo, type RegisteredRepo } from './registry.ts';
import { ensureSchema } from './schema.ts';
import { openPool } from './server.ts';

/** Folder of the bare remotes, beside the clones. */
const remotesFolder = '.remotes';

/**
 * Makes the demo's repositories as clones in `dir` with bare remotes in `dir/.remotes`, registers them, and puts rows
 * into the read model that the files disagree with. What is there already stays as it is, so it may run at every start;
 * one that was interrupted is finished by the next.
 */
export async function seedDemo({ dir, databaseUrl }: { dir: string; databaseUrl: string }): Promise<RegisteredRepo[]> {
  const registered: RegisteredRepo[] = [];
  const pool = openPool(databaseUrl);
  try {
    await ensureSchema(pool);
    for (const repo of demoRepos) {
      const path = await makeRepo(dir, repo);
      await registerRepo(pool, { name: repo.name, path });
      registered.push({ name: repo.name, path });
      const known = new Set((await listWorkstreams(pool, repo.name)).map((row) => row.workplanId));
      const missing = repo.rows.filter((row) => !known.has(row.workplanId));
      const client = await pool.connect();
      await storeWorkstreams(client, repo.name, missing).finally(() => client.release());
    }
  } finally {
    await pool.end();
  }
  return registered;
}

/** Makes one repo aside and moves the clone to its place at last, so that a clone that is there is whole. */
async function makeRepo(dir: string, repo: DemoRepo): Promise<string> {
  const clone = join(dir, repo.name);
  if ((await lstat(clone).catch(() => null)) !== null) return clone;
  const remote = join(dir, remotesFolder, `${repo.name}.git`);
  const work = join(dir, remotesFolder, `${repo.name}.work`);
  for (const folder of [remote, work]) {
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
  }
  await git(remote, 'init', '--quiet', '--bare', '--initial-branch=main');
  await git(work, 'init', '--quiet', '--initial-branch=main');
  await commitFiles(work, repo.files, 'Add workplans');
  // Relative, so that the demo can be moved: resolved against the clone, which has the same depth in its last place.
  await git(work, 'remote', 'add', 'origin', `../${remotesFolder}/${repo.name}.git`);
  await git(work, 'push', '--quiet', remote, 'main');
  if (repo.laterFiles !== undefined) {
    await commitFiles(work, repo.laterFiles, 'Update workplans');
    await git(work, 'push', '--quiet', remote, 'main');
    await git(work, 'reset', '--quiet', '--hard', 'HEAD~1');
  }
  await git(work, 'config', 'branch.main.remote', 'origin');
  await git(work, 'config', 'branch.main.merge', 'refs/heads/main');
  await git(work, 'config', 'remote.origin.fetch', '+refs/heads/*:refs/remotes/origin/*');
  await writeFiles(work, repo.uncommittedFiles ?? {});
  await rename(work, clone);
  return clone;
}

async function commitFiles(work: string, files: Record<string, string>, subject: string): Promise<void> {
  await writeFiles(work, files);
  await git(work, 'add', '--all');
  await git(work, 'commit', '--quiet', '-m', subject);
}

async function writeFiles(folder: string, files: Record<string, string>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

async function git(cwd: string, ...args: string[]): Promise<void> {
  await runGit(args, { cwd, signal: new AbortController().signal });
}
