import type { WatchdogCheck } from '../../workflows/contract.ts';
import type { Finding, Treated, Treatment } from './finding.ts';
import { treatByRequest } from './http-remedy.ts';
import { writeDecision } from './proposal.ts';
import { treatBySql } from './sql-remedy.ts';
import { type Watch, statementTimeout } from './watch.ts';

/** Asks the check's remedy to cure these findings. Throws what the remedy throws. */
export async function treat(
  watch: Watch,
  check: WatchdogCheck,
  mode: Treatment['mode'],
  findings: Finding[],
): Promise<Treated[]> {
  const { context, order, variables, run, trail } = watch;
  const { deps, firing, pulse, signal } = context;
  // A worker that was frozen may have been given up meanwhile, and then this run is no longer its own.
  await pulse.confirm(signal);
  const treatment: Treatment = {
    client: watch.database.client,
    ...{ check, mode, definitionId: run.definitionId, runId: run.runId, signal, now: deps.now },
    decide: (_, reason) => writeDecision(check, mode, reason),
    statementTimeoutMs: () => statementTimeout(context),
    prepare: (records, xid) => trail.prepare(check, records, xid),
  };
  if (check.remedy !== undefined && 'request' in check.remedy) {
    return treatByRequest({ treatment, order, firing, variables, environment: deps.environment }, findings);
  }
  return treatBySql(treatment, findings);
}
