import { log } from '@temporalio/activity';
import type { WatchdogCheck } from '../../workflows/contract.ts';
import { explainFault } from '../faults.ts';
import { cutText } from '../report-size.ts';
import { CheckError } from './check-error.ts';
import { type CheckResult, chooseManner } from './check-result.ts';
import { type Detected, detect } from './detect.ts';
import type { Finding } from './finding.ts';
import { noteTreated } from './note-treated.ts';
import { proposeAction } from './proposal.ts';
import { sealJson } from './seal.ts';
import { RemedyError } from './sql-remedy-error.ts';
import { explainSqlFault } from './sql-fault.ts';
import { treat } from './treat.ts';
import { type Watch, nameKnown, statementTimeout } from './watch.ts';
import { watchReasons } from './watch-reasons.ts';

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
    const detected = await detect(watch.database.client, check, { timeoutMs: statementTimeout(watch.context) });
    noteDetected(watch, check, detected, result);
    await act(watch, check, detected, result);
    result.observation.isComplete = !detected.hasMore;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    report.error = watch.variables.redact(explainCheckFault(error));
    await watch.database.client.query('ROLLBACK').catch(() => {});
  } finally {
    report.tookMs = Math.round(performance.now() - startedAt);
  }
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
  try {
    const treated = await treat(watch, check, report.mode === 'sim' ? 'sim' : 'auto', open);
    noteTreated(watch, check, treated, result);
  } catch (error) {
    if (error instanceof RemedyError) noteTreated(watch, check, error.treated, result);
    throw error;
  }
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

/** A check that fails as nobody foresaw must not take the others with it; the worker's log has more of it. */
function explainCheckFault(error: unknown): string {
  if (error instanceof CheckError) return error.message;
  const told = explainFault(error) ?? explainSqlFault(error);
  if (told !== undefined) return told;
  log.error('A check of a watchdog failed in a way that nobody foresaw', { error });
  return watchReasons.unforeseen(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
}
