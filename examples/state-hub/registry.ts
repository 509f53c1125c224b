import { lstat, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Database } from './read-model.ts';
import type { AssessmentFailure, RepoResult } from './report.ts';

/** A clone that every sweep walks. */
export interface RegisteredRepo {
  name: string;
  /** Absolute path of the clone on the machine that sweeps. */
  path: string;
}

/** Puts a clone on the list of every sweep; a name that is there already moves to this path. */
export async function registerRepo(database: Database, repo: RegisteredRepo): Promise<void> {
  await database.query(
    `insert into state_hub.repos (name, path) values ($1, $2)
     on conflict (name) do update set path = excluded.path where repos.path <> excluded.path`,
    [repo.name, resolve(repo.path)],
  );
}

/** Registers every clone that stands directly in a folder, under the clone's folder name. Returns their names. */
export async function registerClonesIn(database: Database, folder: string): Promise<string[]> {
  const registered: string[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (!entry.isDirectory() || (await lstat(join(path, '.git')).catch(() => null)) === null) continue;
    await registerRepo(database, { name: entry.name, path });
    registered.push(entry.name);
  }
  return registered;
}

/** All repos, the longest untried first, so that what one budget did not reach is the next sweep's beginning. */
export async function listReposToSweep(database: Database): Promise<RegisteredRepo[]> {
  const { rows } = await database.query<RegisteredRepo>(
    'select name, path from state_hub.repos order by last_tried_at nulls first, name',
  );
  return rows;
}

/** Keeps what a sweep found in one repo; a repo that was not begun keeps its old result. */
export async function recordRepoResult(
  database: Database,
  result: RepoResult,
  failures: AssessmentFailure[],
  runId: string,
): Promise<void> {
  await database.query(
    'update state_hub.repos set last_tried_at = clock_timestamp(), last_result = $2 where name = $1',
    [result.repo, JSON.stringify({ ...result, run_id: runId, assessment_failures: failures })],
  );
}

/** The registered repos by name with what the last sweep found; `last_result` is null before the first. */
export async function listRepos(database: Database): Promise<object[]> {
  const { rows } = await database.query<object>(
    'select name as repo, path, registered_at, last_tried_at, last_result from state_hub.repos order by name',
  );
  return rows;
}
