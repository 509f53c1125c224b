import { Context } from '@temporalio/activity';
import { runIdOf } from '../../history/run-id.ts';
import type { WatchRun } from '../../history/watch-ledger.ts';
import type { WatchdogOrder } from '../../workflows/contract.ts';
import { openAnnouncer } from '../announcer.ts';
import { InterruptedError } from '../deadline.ts';
import type { Ending } from '../ending.ts';
import { redactDefect, redactEnding } from '../redact-ending.ts';
import { createRedactor } from '../redaction.ts';
import type { RunContext } from '../run.ts';
import { MissingVariableError, type Variables, resolveVariables } from '../variables.ts';
import { type DatabaseAddress, chooseAddress } from './address.ts';
import { openAuditTrail } from './audit-trail.ts';
import { CheckError, WatchError } from './check-error.ts';
import { runChecks } from './check-loop.ts';
import { openHistoryLine } from './history-line.ts';
import { openFailureList } from './failure-list.ts';
import { createDataRedactor } from './seal.ts';
import { type Session, openSession } from './session.ts';
import { explainSqlFault } from './sql-fault.ts';
import { settleEarlier } from './unsettled.ts';
import { explainInterrupted } from './interrupted.ts';
import { type Watch, nameKnown } from './watch.ts';
import { watchReasons } from './watch-reasons.ts';

/** The work of kind `watchdog`: looks at a database by its checks, and cures what they find where they may. */
export async function watchdog(context: RunContext): Promise<Ending> {
  const { order, deps } = context;
  if (order.kind !== 'watchdog') return { outcome: 'automation_error', reason: watchReasons.notWatchdog };
  // What only tries a file out is no reason to listen for it.
  if (context.firing.trigger !== 'canary') deps.listeners?.refresh(order);
  let redact: Variables['redact'] | undefined;
  try {
    const own = resolveVariables(order, deps.environment);
    ({ redact } = own);
    const address = chooseAddress(order.watchdog, deps.environment);
    const redactAddress = createRedactor(address.secrets);
    const variables = { ...own, redact: (text: string) => own.redact(redactAddress(text)) };
    ({ redact } = variables);
    return redactEnding(await connectAndWatch(context, order, variables, address), redact);
  } catch (error) {
    const ending = explainEnd(error, context, order);
    if (ending === undefined) throw redactDefect(error, redact);
    return redactEnding(ending, redact);
  }
}

/** How a run ended that never came to its checks; undefined for what nobody foresaw. */
function explainEnd(thrown: unknown, { signal }: RunContext, order: WatchdogOrder): Ending | undefined {
  // A statement that is cancelled, or a connection that is closed, by an interruption says so in its own words.
  const error: unknown = signal.aborted ? signal.reason : thrown;
  if (error instanceof InterruptedError) return explainInterrupted(error, order);
  const isForeseen =
    error instanceof WatchError || error instanceof CheckError || error instanceof MissingVariableError;
  const reason = isForeseen ? error.message : explainSqlFault(error);
  return reason === undefined ? undefined : { outcome: 'automation_error', reason };
}

async function connectAndWatch(
  context: RunContext,
  order: WatchdogOrder,
  variables: Variables,
  address: DatabaseAddress,
): Promise<Ending> {
  const { firing, progress, pulse } = context;
  const run: WatchRun = {
    ...{ definitionId: order.definition.id, definitionUuid: order.definition.uuid, trigger: firing.trigger },
    runId: runIdOf(order.definition.uuid, firing),
    scheduledAt: new Date(firing.scheduledAt).toISOString(),
  };
  progress.stage = 'connecting to the database';
  pulse.touch();
  const session = await openSession(context, address, run);
  if ('holder' in session) return { outcome: 'lock_skipped', reason: watchReasons.locked(session.holder) };
  const announcer = openAnnouncer(Context.current(), order.budget.hardTimeoutMs, () => describeProgress(context));
  try {
    return await runChecks(await prepareWatch(context, order, variables, address, run, session), session);
  } finally {
    await session.close();
    await announcer.close();
  }
}

function describeProgress({ progress }: RunContext): string {
  return progress.progress === undefined ? progress.stage : `${progress.stage}; ${progress.progress}`;
}

/** Learns what the history knows: what earlier runs left unsettled first, for it says what was done. */
async function prepareWatch(
  context: RunContext,
  order: WatchdogOrder,
  variables: Variables,
  address: DatabaseAddress,
  run: WatchRun,
  { database }: Session,
): Promise<Watch> {
  const { watch } = context.deps;
  const secrets = order.secrets.map((name) => [name, variables.values.get(name) ?? ''] as const);
  const redactData = createDataRedactor([...secrets, ...address.secrets]);
  const { systemIdentifier } = database;
  const history = openHistoryLine();
  const trail = openAuditTrail({ watch, history, run, systemIdentifier, redactData });
  await settleEarlier(database, { watch, history, context, order });
  const cooldowns = order.watchdog.checks.map(({ name, cooldownMs }) => ({ checkName: name, cooldownMs }));
  const known = (await history.ask(() => watch.readFindings(run.definitionUuid, cooldowns))) ?? [];
  return {
    ...{ context, order, variables, redactData, run, history, trail, database, failures: openFailureList() },
    known: new Map(known.map((finding) => [nameKnown(finding.checkName, finding.key), finding])),
  };
}
