import type { Ledger } from '../history/ledger.ts';

/** What the activities need from their worker. */
export interface Dependencies {
  ledger: Ledger;
  /** Where variables are looked up: the worker's environment. */
  environment: Record<string, string | undefined>;
  now(): Date;
}
