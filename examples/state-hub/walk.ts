import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { pullClone } from './clone.ts';
import { findForeignRowIds, listWorkstreams, storeWorkstreams } from './read-model.ts';
import type { RegisteredRepo } from './registry.ts';
import { startRepoResult, type AssessmentFailure, type RepoResult } from './report.ts';
import { judgeRepo } from './rules.ts';
import { readStop } from './stop.ts';
import { readRepoFiles, type RepoFiles } from './workplan-files.ts';
import type { Finding } from './workplan.ts';
import { writeBack } from './writeback.ts';

/** What the walks of one sweep share. */
export interface Walk {
  /** The connection that holds the lock. */
  client: pg.ClientBase;
  signal: AbortSignal;
  /** Paths by workplan id by repo; a walk replaces those of its own repo. */
  claims: Map<string, ReadonlyMap<string, string[]>>;
}

/** Walks one repo: pull, read, judge, store, write back. What was found up to a stop or a failure is kept. */
export async function walkRepo(
  walk: Walk,
  repo: RegisteredRepo,
): Promise<{ result: RepoResult; failures: AssessmentFailure[] }> {
  const begunAt = performance.now();
  const result = startRepoResult(repo.name);
  const failures: AssessmentFailure[] = [];
  const report = (findings: Finding[]): void => {
    failures.push(...findings.map(({ rule, message }) => ({ repo: repo.name, rule, message })));
  };
  try {
    await reconcileRepo(walk, repo, result, report);
  } catch (error) {
    const stop = readStop(walk.signal);
    result.status = stop === null ? 'failed' : 'not_reached';
    result.message = stop === null ? describeError(error) : `${stop.message} in the middle of this repo`;
    if (stop === null) report([{ rule: 'C-00', message: result.message }]);
  }
  result.failures = failures.length;
  result.duration_ms = Math.round(performance.now() - begunAt);
  return { result, failures };
}

async function reconcileRepo(
  walk: Walk,
  repo: RegisteredRepo,
  result: RepoResult,
  report: (findings: Finding[]) => void,
): Promise<void> {
  const { client, signal } = walk;
  const gate = await pullClone(repo.path, signal);
  if (!gate.open) {
    result.status = 'gated';
    result.message = `the clone is not pulled and not written to: ${gate.reason}`;
    report([{ rule: 'C-16', message: result.message }]);
    return;
  }
  result.pulled = true;
  result.new_commits = gate.newCommits;

  const files = await readRepoFiles(repo.path, signal);
  result.files = files.paths.length;
  walk.claims.set(repo.name, indexClaims(files));
  const rows = await listWorkstreams(client, repo.name);
  const rowIdsInFiles = files.workplans.flatMap(({ rowId }) => (rowId === null ? [] : [rowId]));
  const rowIdsElsewhere = await findForeignRowIds(client, repo.name, rowIdsInFiles);
  const claimsElsewhere = mergeClaims(walk.claims, repo.name);
  const verdict = judgeRepo(files, { rows, claimsElsewhere, rowIdsElsewhere, newRowId: randomUUID });
  report(verdict.findings);

  signal.throwIfAborted();
  const wanted = verdict.stores.map(({ row }) => row);
  await storeWorkstreams(client, repo.name, wanted);
  result.rows_made = wanted.filter(({ id }) => !rows.some((row) => row.id === id)).length;
  result.rows_updated = wanted.length - result.rows_made;
  report(verdict.stores.flatMap(({ findings }) => findings));

  if (verdict.writebacks.length > 0) {
    const { written, rejected } = await writeBack(repo.path, gate.upstream, verdict.writebacks, signal);
    result.ids_written = written.length;
    const unwritten = rejected === null ? [] : verdict.writebacks;
    report(
      written.map(({ path }) => ({ rule: 'C-15', message: `${path}: the row's id is written, committed, pushed` })),
    );
    report(
      unwritten.map(({ path }) => ({ rule: 'C-15', message: `${path}: the row's id is not written: ${rejected}` })),
    );
  }
  result.status = 'ok';
}

/**
 * What every repo's files claim before the sweep begins, so that an id used in two repos is reported for both, whichever
 * is walked first. Only reads; a clone that cannot be read is left to its own walk.
 */
export async function gatherClaims(repos: RegisteredRepo[], signal: AbortSignal): Promise<Walk['claims']> {
  const claims: Walk['claims'] = new Map();
  for (const { name, path } of repos) {
    if (signal.aborted) break;
    const files = await readRepoFiles(path, signal).catch(() => null);
    if (files !== null) claims.set(name, indexClaims(files));
  }
  return claims;
}

function indexClaims(files: RepoFiles): ReadonlyMap<string, string[]> {
  const paths = new Map<string, string[]>();
  for (const { id, path } of files.workplans) if (id !== null) paths.set(id, [...(paths.get(id) ?? []), path]);
  return paths;
}

function mergeClaims(claims: Walk['claims'], except: string): ReadonlyMap<string, string[]> {
  const merged = new Map<string, string[]>();
  for (const [repo, paths] of claims) {
    if (repo === except) continue;
    for (const [id, list] of paths) {
      merged.set(id, [...(merged.get(id) ?? []), ...list.map((path) => `${repo}: ${path}`)]);
    }
  }
  return merged;
}

/** One sentence of an error; a refused connection to a name with two addresses has its message one level down. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(describeError).join('; ');
  return error instanceof Error ? error.message : String(error);
}
