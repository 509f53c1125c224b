import type { StopCause } from './stop.ts';
import type { Rule } from './workplan.ts';

/** What a sweep is asked for. */
export interface SweepRequest {
  max_seconds: number;
  source: string;
  run_id: string;
}

/** One thing that is wrong; `repo` is `*` where it concerns no single repo. */
export interface AssessmentFailure {
  repo: string;
  rule: Rule;
  message: string;
}

/**
 * How the walk through one repo ended: `ok` walked to the end, whatever was found; `gated` left alone (C-16);
 * `failed` git or the database failed in it (C-00); `not_reached` the sweep ended before or in the middle of it.
 */
export type RepoStatus = 'ok' | 'gated' | 'failed' | 'not_reached';

export interface RepoResult {
  repo: string;
  status: RepoStatus;
  /** The remote was asked, and the clone holds what it has. */
  pulled: boolean;
  new_commits: number;
  /** Workplan files read, the unreadable ones too. */
  files: number;
  rows_made: number;
  rows_updated: number;
  ids_written: number;
  failures: number;
  duration_ms: number;
  /** A sentence where the status needs one. */
  message: string | null;
}

/** Who holds the lock; null for the moment between its taking and its signing. */
export interface LockHolder {
  source: string;
  run_id: string;
  age_seconds: number;
}

/** The answer to a sweep request; the same shape however it ended. */
export interface SweepReport {
  status: 'completed' | 'lock_skipped';
  source: string;
  run_id: string;
  /** ISO, UTC. */
  started_at: string;
  duration_ms: number;
  repos: RepoResult[];
  not_reached: string[];
  automation_error: string | null;
  assessment_failures: AssessmentFailure[];
  /** 0 unless there is an automation error. */
  exit_code: 0 | 1;
  holder?: LockHolder | null;
}

/** How a sweep ended: what it answers, and what stopped it early, if anything did. */
export interface SweepEnd {
  report: SweepReport;
  stopped: StopCause | null;
}

/** A repo of which nothing is known yet. */
export function startRepoResult(repo: string): RepoResult {
  return {
    repo,
    status: 'not_reached',
    pulled: false,
    new_commits: 0,
    files: 0,
    rows_made: 0,
    rows_updated: 0,
    ids_written: 0,
    failures: 0,
    duration_ms: 0,
    message: null,
  };
}
