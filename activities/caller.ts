import type { RetryPlan, SweepPlan } from '../workflows/contract.ts';
import type { Account } from './account.ts';
import type { AnswerMemory } from './answer-memory.ts';
import type { HttpClient } from './http-client.ts';
import type { Redact } from './redaction.ts';

/** What every call of a run shares, however many targets it has. */
export interface Caller {
  client: HttpClient;
  plan: SweepPlan;
  retry: RetryPlan;
  maxSeconds: number;
  /** Epoch milliseconds; no attempt begins later. */
  startsUntilMs: number;
  /** Ends whatever is under way; its reason is thrown. */
  signal: AbortSignal;
  account: Account;
  redact: Redact;
  now: () => Date;
  /** Tells whoever watches what is done, and in which attempt. */
  onStage: (stage: string, attempt: number) => void;
  /** Looks on at what a client of this run does; present where somebody tries a definition by hand. */
  watch?: (client: HttpClient) => HttpClient;
  /** Resolves when this worker may take it that the run is still its own; undefined where nothing speaks against it. */
  confirm(): Promise<void> | undefined;
  /** Of a fan-out, whose targets answer alike. */
  memory?: AnswerMemory;
  /** The name of the target; absent outside a fan-out. */
  target?: string;
  /** True while the list of the targets is asked for. */
  isListing?: true;
}
