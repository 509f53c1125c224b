import type { RowOrder } from '../history/ledger.ts';
import type { Cadence, OutcomeRules } from '../workflows/contract.ts';

/** What an outside runner has to know of a definition: plain data, which is kept in a file beside the spool. */
export interface KnownActivity {
  order: RowOrder;
  /** What the command is told, and when it is ended. */
  maxSeconds: number;
  hardTimeoutMs: number;
  minDurationMs?: number;
  /** How far from its tick a start may be. */
  toleranceMs: number;
  /** Names of variables. */
  secrets: string[];
  /** The sources that are expected to report, and when. */
  sources: Record<string, Cadence>;
  /** How an answer of its API is judged; absent where it calls none. */
  judging?: { rules: OutcomeRules; condition?: string };
}
