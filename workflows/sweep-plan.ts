import type { JsonValue, Order } from './contract.ts';

/** Name of the signal by which a long fan-out says how far it is; its argument is a sentence. */
export const progressSignal = 'progress';

/** An HTTP request with `${...}` placeholders still in it; values are put in by the worker and never reach Temporal. */
export interface RequestTemplate {
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: JsonValue;
  /** Appended to the URL, percent-encoded; a list repeats the name. */
  query?: Record<string, string | string[]>;
  /** Sent as application/x-www-form-urlencoded in place of a body. */
  form?: Record<string, string>;
  auth?: { basic: { username: string; password: string } } | { bearer: string };
  /** Names of PEM files on the worker. */
  tls?: { ca?: string; cert?: string; key?: string };
  expect?: Expectation;
}

/** What an answer has to be like; without it any 2xx will do. */
export interface Expectation {
  /** Inclusive ranges of HTTP statuses. */
  status?: { from: number; to: number }[];
  /** CEL over {status, headers, body}, gives a bool. */
  condition?: string;
}

/** CEL expressions over {status, headers, body} that say how a response is to be read. */
export interface OutcomeRules {
  lock_skipped?: string;
  automation_error?: string;
  assessment_failures?: string;
}

/** How an operation that was only accepted is followed to its end; the outcome is read from the last answer. */
export interface PollPlan {
  /** CEL over the first answer: whether it was only accepted. Status 202 when absent. */
  when?: string;
  /** The pause before the first poll; later ones grow to `maxEveryMs`. */
  everyMs: number;
  maxEveryMs: number;
  /** CEL over the first answer, gives a URL or a part of one, read against that of the request; the Location header when absent. */
  url?: string;
  /** CEL over a polled answer, gives a bool. */
  done: string;
}

/** One request for each target instead of a single one; in the request `${target}` or `${target.FIELD}` stands for it. */
export interface EachPlan {
  /** The targets themselves, or a first request and CEL over its answer that gives their list. */
  targets: JsonValue[] | { request: RequestTemplate; list: string };
  /** The field that names a target which is a map; a text names itself. */
  key: string;
  concurrency: number;
  /** What one target may take of the budget; all of it when absent. */
  perTargetSeconds?: number;
  /** CEL over {total, completed, failed, lock_skipped, not_reached}: whether the run is an automation error. */
  failWhen?: string;
}

/** What a sweep does. */
export interface SweepPlan {
  request: RequestTemplate;
  outcome: OutcomeRules;
  poll?: PollPlan;
  each?: EachPlan;
}

/** How often a request is tried in all. Absent in orders of old: `backoffMs` is 1,000 and `idempotent` false. */
export interface RetryPlan {
  attempts: number;
  /** The pause before the second attempt; it doubles. */
  backoffMs?: number;
  /** True where the target does nothing twice: then 429, 502, 503, 504 and a lost connection are tried again too. */
  idempotent?: boolean;
}

/** Where the time of a run went, in milliseconds; of a fan-out the sums over its targets. */
export interface StageTimes {
  /** Between the start of the run by the server and the moment a worker took it up. */
  queueMs: number;
  connectMs: number;
  tlsMs: number;
  firstByteMs: number;
  bodyMs: number;
  /** Pauses before another attempt, and the attempts that failed. */
  retryMs: number;
  /** From the first answer to the last poll. */
  pollMs: number;
}

/** An attempt that failed. */
export interface FailedAttempt {
  /** Absent outside a fan-out. */
  target?: string;
  attempt: number;
  /** ISO. */
  at: string;
  /** What was called: method and path, or `list` and `poll` before them; absent in what an older worker noted. */
  operation?: string;
  error: string;
  /** Whether a later attempt succeeded. */
  rescued: boolean;
}

/** How the targets of a fan-out ended. */
export interface TargetTally {
  total: number;
  completed: number;
  failed: number;
  lockSkipped: number;
  notReached: number;
}

/** Whether another worker can go on with a run whose worker died: those that leave in their heartbeats how far they are. */
export function mayResume(order: Order): boolean {
  return order.kind !== 'watchdog' && (order.sweep.each !== undefined || order.sweep.poll !== undefined);
}
