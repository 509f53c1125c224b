import type { WatchdogCheck } from '../../workflows/contract.ts';
import { InterruptedError } from '../deadline.ts';
import type { Ending } from '../ending.ts';
import { runCheck } from './check.ts';
import { type CheckResult, openResult } from './check-result.ts';
import { CheckError, WatchError } from './check-error.ts';
import { type Conclusion, concludeWatch, summarizeWatch } from './conclusion.ts';
import { explainInterrupted } from './interrupted.ts';
import type { Session } from './session.ts';
import type { Watch } from './watch.ts';
import { watchReasons } from './watch-reasons.ts';

/** Writing what a big run saw takes longer than asking a question. */
const observePatienceMs = 8_000;

/** Runs the checks one after the other, keeps what they saw, and says how the run ended. */
export async function runChecks(watch: Watch, session: Session): Promise<Ending> {
  const startedAt = performance.now();
  const { checks } = watch.order.watchdog;
  const planned = checks.map((check) => ({ check, result: openResult(watch, check) }));
  const results = planned.map(({ result }) => result);
  let interruption: InterruptedError | undefined;
  try {
    for (const [index, { check, result }] of planned.entries()) {
      noteProgress(watch, check, index);
      await runConnected(watch, session, check, result);
    }
  } catch (error) {
    if (!(error instanceof InterruptedError)) throw error;
    interruption = error;
    noteUnfinished(results);
  }
  const notes = await observe(watch, results);
  const conclusion = { results, failures: watch.failures, tookMs: performance.now() - startedAt, notes };
  const carried = watch.trail.carried();
  return { ...conclude(watch, conclusion, interruption), ...(carried.length > 0 ? { actions: carried } : {}) };
}

function conclude({ order }: Watch, conclusion: Conclusion, interruption: InterruptedError | undefined): Ending {
  const ending = concludeWatch(conclusion);
  if (interruption === undefined) return ending;
  const { outcome, reason } = explainInterrupted(interruption, order);
  const at = conclusion.results.find(({ report }) => report.error === watchReasons.interrupted);
  const where = at === undefined ? '' : ` while it was at the check ${at.report.name}, which was rolled back`;
  return { ...ending, outcome, reason: `${reason}${where}; ${summarizeWatch(conclusion)}` };
}

/** A check that finds no connection has an error like any other. */
async function runConnected(watch: Watch, session: Session, check: WatchdogCheck, result: CheckResult): Promise<void> {
  const { report } = result;
  try {
    watch.context.signal.throwIfAborted();
    if (report.mode !== 'block') watch.database = await session.revive();
  } catch (error) {
    if (!(error instanceof WatchError || error instanceof CheckError)) throw error;
    report.error = watch.variables.redact(error.message);
    return;
  }
  await runCheck(watch, check, result);
  result.isDone = true;
}

function noteProgress({ context, order, failures }: Watch, check: WatchdogCheck, index: number): void {
  const { progress, pulse } = context;
  progress.stage = `check ${check.name}`;
  progress.progress = `${index} of ${order.watchdog.checks.length} checks done, ${failures.count} assessment failures`;
  pulse.touch();
}

/** The first check that is not done is the one that was under way. */
function noteUnfinished(results: CheckResult[]): void {
  let told: string = watchReasons.interrupted;
  for (const { report, isDone } of results) {
    if (isDone || report.error !== undefined) continue;
    report.error = told;
    told = watchReasons.notReached;
  }
}

/** Keeps what the checks saw; says what the operator has to know of a history that is away. */
async function observe({ context, run, history, failures, order }: Watch, results: CheckResult[]): Promise<string[]> {
  const { watch } = context.deps;
  context.progress.stage = 'keeping what was found';
  const wasThere = history.isThere();
  const observations = results.map(({ observation }) => observation);
  const quarantined = await history.ask(() => watch.observe(run, observations), observePatienceMs);
  if (quarantined === undefined) return [wasThere ? watchReasons.findingsUnknown : watchReasons.historyAway];
  for (const { checkName, key } of quarantined) {
    const check = order.watchdog.checks.find(({ name }) => name === checkName);
    failures.add(checkName, key, watchReasons.quarantined(check?.quarantineAfter ?? 0));
  }
  return [];
}
