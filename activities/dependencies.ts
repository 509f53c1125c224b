import type { DetailWriter } from '../history/detail-writer.ts';
import type { Ledger } from '../history/ledger.ts';
import type { WatchLedger } from '../history/watch-ledger.ts';
import type { TargetResult } from '../history/results.ts';
import type { Listeners } from './watchdog/listeners.ts';

/** What the activities need from their worker. */
export interface Dependencies {
  ledger: Ledger;
  details: DetailWriter;
  /** What watchdogs keep of their findings and of what they did. */
  watch: WatchLedger;
  /** The results of a run that the history has so far; the scheduled time is ISO. */
  readResults(runId: string, scheduledAt: string): Promise<TargetResult[]>;
  /** Where variables are looked up: the worker's environment. */
  environment: Record<string, string | undefined>;
  now: () => Date;
  /** Aborts when the worker begins to shut down: what another worker can go on with is left to it. */
  leaving?: AbortSignal;
  /** Aborts when the worker has no time left for what is under way; its reason is that of a shutdown by the SDK. */
  cutShort?: AbortSignal;
  /** Hears the notifications that fire watchdogs out of turn; absent where nothing but a schedule or a person does. */
  listeners?: Pick<Listeners, 'refresh'>;
}
