import { log } from '@temporalio/activity';
import type { CheckObservation } from '../../history/watch-ledger.ts';
import type { CheckMode, CheckReport, WatchdogCheck } from '../../workflows/contract.ts';
import { explainFault } from '../faults.ts';
import { cutText } from '../report-size.ts';
import { CheckError } from './check-error.ts';
import { type Detected, detect } from './detect.ts';
import type { Finding, Treated } from './finding.ts';
import { proposeAction } from './proposal.ts';
import { sealJson } from './seal.ts';
import { RemedyError } from './sql-remedy-error.ts';
import { explainSqlFault } from './sql-fault.ts';
import { treat } from './treat.ts';
import { type Watch, nameKnown, statementTimeout } from './watch.ts';
import { lookingReasons, watchReasons } from './watch-reasons.ts';

/** What one check of a run did, and what it saw. */
export interface CheckResult {
  report: CheckReport;
  observation: CheckObservation;
  /** Findings that were left alone without being a failure. */
  quarantined: number;
  coolingDown: number;
  /** Whether it came to its end, broken or not. */
  isDone: boolean;
}

/** What a check is run as, and why that is milder than `auto` where it is. */
interface Manner {
  mode: CheckMode;
  why: string;
}

/** A result on which nothing stands yet. */
export function openResult(watch: Pick<Watch, 'order' | 'context'>, check: WatchdogCheck): CheckResult {
  const counts = { findings: 0, hasMore: false, cured: 0, sent: 0, simulated: 0, proposed: 0, failed: 0, left: 0 };
  const { mode } = chooseManner(watch, check);
  const report: CheckReport = { name: check.name, mode, contractHash: check.contractHash, ...counts, tookMs: 0 };
  const observation = { report, quarantineAfter: check.quarantineAfter, isComplete: false, findings: [] };
  return { report, observation, quarantined: 0, coolingDown: 0, isDone: false };
}

/**
 * Runs one check by itself: what goes wrong with it stands in its report, and the others go on.
 *
 * @throws the signal's reason
 */
export async function runCheck(watch: Watch, check: WatchdogCheck, result: CheckResult): Promise<void> {
  const { report } = result;
  if (report.mode === 'block') return;
  const { signal } = watch.context;
  const startedAt = performance.now();
  try {
    const detected = await detect(watch.database.client, check, statementTimeout(watch.context));
    noteDetected(watch, check, detected, result);
    await act(watch, check, detected, result);
    result.observation.isComplete = !detected.hasMore;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof RemedyError) noteTreated(watch, check, error.treated, result);
    report.error = watch.variables.redact(explainCheckFault(error));
    await watch.database.client.query('ROLLBACK').catch(() => {});
  } finally {
    report.tookMs = Math.round(performance.now() - startedAt);
  }
}

function chooseManner({ order, context }: Pick<Watch, 'order' | 'context'>, check: WatchdogCheck): Manner {
  const { mode, destructive } = check;
  const mayAct = mode === 'auto' || mode === 'sim';
  if (mayAct && context.firing.dryRun === true) return { mode: 'dry_run', why: lookingReasons.firing };
  if (mode === 'auto' && destructive && !order.watchdog.destructiveOk) {
    return { mode: 'dry_run', why: lookingReasons.destructive };
  }
  return { mode, why: lookingReasons.mode };
}

function noteDetected(watch: Watch, check: WatchdogCheck, { findings, hasMore }: Detected, result: CheckResult): void {
  const { report, observation } = result;
  report.findings = findings.length;
  report.hasMore = hasMore;
  if (hasMore) watch.failures.add(check.name, undefined, watchReasons.beyondLimit(check.limit, findings.length));
  observation.findings = findings.map(({ key, json }) => ({
    key: sealJson(key, watch.redactData),
    row: sealJson(shortenRow(json), watch.redactData),
  }));
}

/** The history shows what was found; whole rows stand in the triplets. In UTF-16 units. */
const longestRow = 20_000;

function shortenRow(json: string): string {
  return json.length <= longestRow ? json : JSON.stringify(cutText(json, longestRow / 2));
}

/** Does what the mode says about the findings that are neither quarantined nor cooling down. */
async function act(watch: Watch, check: WatchdogCheck, { findings, hasMore }: Detected, result: CheckResult) {
  const { why } = chooseManner(watch, check);
  const { report } = result;
  const open = findings.filter((finding) => isOpen(watch, check, finding, result));
  if (open.length === 0) return;
  const most = watch.order.watchdog.maxActions;
  const reaches = open.length + (hasMore ? 1 : 0);
  if (check.remedy === undefined) return leave(watch, result, open, watchReasons.noRemedy);
  if (reaches > most) {
    const count = hasMore ? `more than ${open.length}` : String(open.length);
    return leave(watch, result, open, watchReasons.tooManyActions(count, most));
  }
  if (report.mode === 'dry_run') return propose(watch, check, open, why, result);
  const treated = await treat(watch, check, report.mode === 'sim' ? 'sim' : 'auto', open);
  noteTreated(watch, check, treated, result);
}

function isOpen(watch: Watch, { name, cooldownMs }: WatchdogCheck, finding: Finding, result: CheckResult): boolean {
  const known = watch.known.get(nameKnown(name, sealJson(finding.key, watch.redactData)));
  if (known?.state === 'quarantined') {
    result.quarantined += 1;
    return false;
  }
  if (result.report.mode !== 'auto' || known?.lastActionAt === undefined) return true;
  if (watch.context.deps.now().getTime() - Date.parse(known.lastActionAt) >= cooldownMs) return true;
  result.coolingDown += 1;
  return false;
}

function leave(watch: Watch, { report }: CheckResult, findings: Finding[], message: string): void {
  report.left += findings.length;
  for (const { key } of findings) watch.failures.add(report.name, key, message);
}

/** The history keeps what is proposed once per episode of a finding, and passes over the rest. */
async function propose(watch: Watch, check: WatchdogCheck, open: Finding[], why: string, result: CheckResult) {
  const { failures, run, trail, context, redactData } = watch;
  const { report, observation } = result;
  report.proposed = open.length;
  const now = context.deps.now();
  const records = open.map((finding) => proposeAction(check, finding, run.runId, why, now));
  await trail.propose(records);
  const proposed = new Set(open.map(({ key }) => sealJson(key, redactData)));
  for (const seen of observation.findings) if (proposed.has(seen.key)) seen.outcome = 'proposed';
  for (const { key } of open) failures.add(check.name, key, watchReasons.proposed(check.action ?? check.name, why));
}

function noteTreated(
  watch: Watch,
  check: WatchdogCheck,
  treated: Treated[],
  { report, observation }: CheckResult,
): void {
  const { failures, variables, redactData } = watch;
  const action = check.action ?? check.name;
  const ends = new Map<string, Treated>();
  for (const one of treated) {
    const { key } = one.finding;
    ends.set(sealJson(key, redactData), one);
    const error = one.error === undefined ? undefined : variables.redact(one.error);
    switch (one.outcome) {
      case 'cured':
      case 'sent':
        report[one.outcome] += 1;
        break;
      case 'simulated':
        report.simulated += 1;
        failures.add(check.name, key, watchReasons.simulated(action));
        break;
      case 'proposed':
        report.proposed += 1;
        failures.add(check.name, key, watchReasons.proposed(action, lookingReasons.mode));
        break;
      case 'not_cured':
      case 'failed': {
        report.failed += 1;
        const told = one.outcome === 'failed' ? watchReasons.failed(action) : watchReasons.notCured(action);
        failures.add(check.name, key, error === undefined ? told : `${told}: ${error}`);
        break;
      }
      case 'locked':
        report.left += 1;
        failures.add(check.name, key, watchReasons.rowsLocked);
        break;
      case 'gone':
        break;
    }
  }
  observation.findings = observation.findings.flatMap((seen) => {
    const end = ends.get(seen.key);
    // Somebody else has cured it meanwhile.
    if (end?.outcome === 'gone') return [];
    if (end === undefined || end.outcome === 'locked') return [seen];
    const error = end.error === undefined ? {} : { error: variables.redact(end.error) };
    return [{ ...seen, outcome: end.outcome, ...error }];
  });
}

/** A check that fails as nobody foresaw must not take the others with it; the worker's log has more of it. */
function explainCheckFault(error: unknown): string {
  if (error instanceof CheckError) return error.message;
  const told = explainFault(error) ?? explainSqlFault(error);
  if (told !== undefined) return told;
  log.error('A check of a watchdog failed in a way that nobody foresaw', { error });
  return watchReasons.unforeseen(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
