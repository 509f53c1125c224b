import pg from 'pg';
import { CheckError } from './check-error.ts';
import type { Treated } from './finding.ts';
import { explainSqlFault } from './sql-fault.ts';

/** A remedy cannot go on with any finding; what was done before it came to that stands in `treated`. */
export class RemedyError extends CheckError {
  treated: Treated[] = [];
}

/** What was thrown, as words for the check's report. */
export function explainFault(error: unknown): string {
  return explainSqlFault(error) ?? (error instanceof Error ? error.message : String(error));
}

/** What Postgres told inside a DO block, in the words of every other of its errors. */
export function describeFault(fault: { code: string; message: string; detail: string | null }): string {
  const error = new pg.DatabaseError(fault.message, 0, 'error');
  error.code = fault.code;
  if (fault.detail) error.detail = fault.detail;
  return explainFault(error);
}

/** Somebody else's lock, or a deadlock with somebody else: the finding is left to the next run. */
export function isLockFault(code: string): boolean {
  return code === '55P03' || code === '40P01';
}

/** The SQLSTATE of what Postgres said; undefined for any other error. */
export function readCode(error: unknown): string | undefined {
  return error instanceof pg.DatabaseError ? error.code : undefined;
}
