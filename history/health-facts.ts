import type { Headroom } from './headroom.ts';

/** An expectation that a source has of a definition: that something is recorded at a tick or after it. */
export interface Due {
  definitionId: string;
  source: string;
  /** ISO: the first of the ticks that were due. */
  since: string;
  /** How many of them there are. */
  ticks: number;
  isOwn: boolean;
  /** How long before `since` a run may have begun that is still in the way. */
  timeoutMs: number;
}

/** What became of it. */
export interface DueFact extends Due {
  isSeen: boolean;
  /** An earlier run was going at the tick. */
  isBusy: boolean;
  /** The source has reported before. */
  isKnown: boolean;
}

/** What the server has of a definition that was applied. */
export interface ScheduleFact {
  definitionId: string;
  isThere: boolean;
  /** What somebody changed since, field by field. */
  drift: string[];
}

/** What came from a source of a definition that is retired. Times are ISO. */
export interface RetiredReport {
  definitionId: string;
  source: string;
  reports: number;
  /** When the last of them began. */
  lastAt: string;
  /** Null where somebody has let it fire again since. */
  retiredAt: string | null;
  retiredBy: string | null;
}

/** All that health is derived from. Times are ISO in UTC. */
export interface HealthFacts {
  /** As it was asked for, such as 60m. */
  period: string;
  /** How many applied definitions are enabled. */
  enabled: number;
  /** Why Temporal does not answer; absent where it does. */
  temporalFault?: string;
  /** Absent where Temporal does not answer. */
  schedules?: ScheduleFact[];
  /** Sources that are retired and have fired again. */
  retiredReports: RetiredReport[];
  failing: { definitionId: string; errors: number; lastReason: string }[];
  dues: DueFact[];
  running: { definitionId: string; runId: string; startedAt: string; hardTimeoutMs?: number }[];
  /** Ticks that nothing fired, as the reconciler concluded. */
  gaps: { definitionId: string; source: string; ticks: number }[];
  /** What the last reconciliation could not put right. */
  unreconciled: { definitionId: string; message: string }[];
  quarantined: { definitionId: string; findings: number }[];
  headroom: (Headroom & { definitionId: string })[];
  tooShort: { definitionId: string; runs: number }[];
  reconciler: { id: string; lastLook?: string; appliedAt?: string; everyMs: number };
  history: { sizeBytes: number; oldestMonth?: string };
  /** What the applied retention keeps, the definition that keeps its own longest included; absent where there is none. */
  retention?: { id: string; keepMonths: number };
}
