import type { ActionRecord, Decision, WatchdogCheck } from '../../workflows/contract.ts';
import type { CheckMode } from '../../workflows/contract.ts';
import { nameEffect } from '../idempotency-key.ts';
import type { Finding } from './finding.ts';

/** The JSON text of a decision: why something is done about a finding, or would be. */
export function writeDecision({ name, params, threshold }: WatchdogCheck, mode: CheckMode, reason: string): string {
  const decision: Decision = {
    check: name,
    mode,
    parameters: params,
    threshold: threshold === undefined ? null : (params[threshold] ?? null),
    dry_run: mode !== 'auto',
    reason,
  };
  return JSON.stringify(decision);
}

/** The id of what one run does about one finding: UUIDv5 of run, check and finding. */
export function nameAction(runId: string, checkName: string, findingKey: string): string {
  return nameEffect(JSON.stringify([checkName, findingKey]), runId);
}

/** The triplet of what was only proposed. */
export function proposeAction(
  check: WatchdogCheck,
  finding: Finding,
  runId: string,
  why: string,
  now: Date,
): ActionRecord {
  return {
    id: nameAction(runId, check.name, finding.key),
    checkName: check.name,
    findingKey: finding.key,
    action: check.action ?? check.name,
    mode: 'dry_run',
    outcome: 'proposed',
    before: finding.json,
    after: null,
    decision: writeDecision(check, 'dry_run', why),
    at: now.toISOString(),
  };
}
