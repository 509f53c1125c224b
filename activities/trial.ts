import { type RunReport, type SweepOrder, type Firing, ownSource } from '../workflows/contract.ts';
import { runIdOf } from '../history/run-id.ts';
import { type Account, openAccount } from './account.ts';
import type { Caller } from './caller.ts';
import { askFailWhen, concludeFanOut } from './conclusion.ts';
import { InterruptedError, openDeadline } from './deadline.ts';
import { type Ending, reportEnding } from './ending.ts';
import { type Exchange, watchClient } from './exchange-watch.ts';
import { openFanOut } from './fan-out.ts';
import { explainFault } from './faults.ts';
import { openHostGuard } from './host-guard.ts';
import { openHttpClient } from './http-client.ts';
import { callListed } from './listed-target.ts';
import { explainInterruption } from './reasons.ts';
import { redactDefect, redactEnding } from './redact-ending.ts';
import { type RequestScope, renderTlsFiles } from './request.ts';
import { callTarget } from './target.ts';
import { type Target, TargetListError, listTargets } from './target-list.ts';
import { type Variables, resolveVariables } from './variables.ts';

/** A sweep to try: it is run once, here and now, and leaves no row. */
export interface TrialOptions {
  order: SweepOrder;
  /** Says when and by whom; see `nameTrial`. */
  firing: Firing;
  environment: Record<string, string | undefined>;
  /** Ends the trial as a cancelled run. */
  signal: AbortSignal;
  /** Of a fan-out: the one that is tried; the first where none is named. */
  targetName?: string | undefined;
  /** Told of each request when it has ended. */
  onExchange: (exchange: Exchange) => void;
}

/** How a trial ended: `report` is what a run would have reported. */
export interface Trial {
  report: RunReport;
  /**
   * Of a fan-out whose list could be read: the names of all targets, and which one was tried, if there is any, with what
   * its `fail_when` gives where all is counted by that one.
   */
  targets?: { names: string[]; tried?: string; failWhen?: ReturnType<typeof askFailWhen> };
}

/** The target that was asked for is not in the list. */
export class UnknownTargetError extends Error {
  override readonly name = 'UnknownTargetError';
  readonly names: string[];

  constructor(target: string, names: string[]) {
    super(`there is no target ${target}`);
    this.names = names;
  }
}

/** The firing of a trial: by hand, now, with an id that no row has. */
export function nameTrial(actor: string, now: Date, id: string): Firing {
  const scheduledAt = now.toISOString();
  return { source: ownSource, trigger: 'manual', actor, scheduledAt, workflowId: `trial-${id}`, workflowRunId: id };
}

/**
 * Runs a sweep as a worker would, by the same steps under the same budget, without Temporal and without a history. Of
 * a fan-out only one target is called.
 *
 * @throws UnknownTargetError, MissingVariableError, and what nobody foresaw
 */
export async function trySweep(options: TrialOptions): Promise<Trial> {
  const { order, firing, environment, signal } = options;
  const variables = resolveVariables(order, environment);
  const startedAt = new Date();
  const cancel = new AbortController();
  const onCancel = () => cancel.abort(new Error('CANCELLED'));
  if (signal.aborted) onCancel();
  signal.addEventListener('abort', onCancel, { once: true });
  const deadline = openDeadline([cancel.signal], order.budget.hardTimeoutMs);
  const account = openAccount(0);
  let attempt = 1;
  const frame = { startedAt, signal: deadline.signal, account, onAttempt: (count: number) => (attempt = count) };
  try {
    const { ending, targets } = await conduct(options, variables, frame);
    const times = { startedAt, finishedAt: new Date(), attempt, certainty: 'witnessed', account } as const;
    const report = reportEnding(order, firing, redactEnding(ending, variables.redact), times);
    return { report, ...(targets === undefined ? {} : { targets }) };
  } finally {
    signal.removeEventListener('abort', onCancel);
    deadline.close();
  }
}

/** What lasts as long as the trial. */
interface Frame {
  startedAt: Date;
  signal: AbortSignal;
  account: Account;
  onAttempt: (count: number) => void;
}

type Conducted = { ending: Ending; targets?: Trial['targets'] };

async function conduct(options: TrialOptions, variables: Variables, frame: Frame): Promise<Conducted> {
  const { order, firing, environment } = options;
  const { each, request } = order.sweep;
  const scope: RequestScope = {
    ...{ order, firing, values: variables.values },
    idempotencyKey: runIdOf(order.definition.uuid, firing),
  };
  let part: 'request' | 'targets' = each === undefined ? 'request' : 'targets';
  const { hardTimeoutMs } = order.budget;
  const watching = { part: () => part, redact: variables.redact, hardTimeoutMs, onExchange: options.onExchange };
  const watch: Caller['watch'] = (client) => watchClient(client, watching);
  const onListed = () => void (part = 'request');
  try {
    const client = await openHttpClient({
      ...{ tls: renderTlsFiles(request, scope), guard: openHostGuard(environment), environment },
    });
    try {
      const caller = { ...openCaller(order, frame), client: watch(client), redact: variables.redact, watch };
      const trial = { ...{ caller, order, scope, variables }, context: { deps: options, pulse: { touch() {} } } };
      return await (each === undefined ? trySingle(trial) : tryListed(trial, options.targetName, onListed));
    } finally {
      await client.close();
    }
  } catch (error) {
    return { ending: explainEnd(error, hardTimeoutMs, variables) };
  }
}

/** The same as for a run: what nobody foresaw is thrown, without the secrets in its message. */
function explainEnd(error: unknown, hardTimeoutMs: number, { redact }: Variables): Ending {
  if (error instanceof UnknownTargetError) throw error;
  if (error instanceof InterruptedError) return explainInterruption(error.interruption, hardTimeoutMs);
  const reason = error instanceof TargetListError ? error.message : explainFault(error);
  if (reason === undefined) throw redactDefect(error, redact);
  return { outcome: 'automation_error', reason };
}

function openCaller(
  { sweep: plan, retry, budget: { maxSeconds } }: SweepOrder,
  { account, signal, startedAt, onAttempt }: Frame,
) {
  return {
    ...{ plan, retry, maxSeconds, signal, account },
    startsUntilMs: startedAt.getTime() + maxSeconds * 1_000,
    now: () => new Date(),
    onStage: (_: string, attempt: number) => onAttempt(attempt),
    confirm: async () => {},
  };
}

interface Prepared {
  caller: Caller;
  order: SweepOrder;
  scope: RequestScope;
  variables: Variables;
  context: { deps: Pick<TrialOptions, 'environment'>; pulse: { touch(): void } };
}

async function trySingle({ caller, order, scope }: Prepared): Promise<Conducted> {
  const { hardTimeoutMs } = order.budget;
  return { ending: await callTarget({ caller, scope, hardTimeoutMs, onAccepted() {} }) };
}

async function tryListed(trial: Prepared, name: string | undefined, onListed: () => void): Promise<Conducted> {
  const { caller, order } = trial;
  const { each } = order.sweep;
  if (each === undefined) throw new Error('a list is tried of an order that has none');
  const list = await listTargets(trial, each);
  const names = list.map(({ key }) => key);
  const chosen: Target | undefined = name === undefined ? list[0] : list.find(({ key }) => key === name);
  if (chosen === undefined && name !== undefined) throw new UnknownTargetError(name, names);
  if (chosen === undefined) {
    return { ending: concludeFanOut(order, each, openFanOut([]), undefined), targets: { names } };
  }
  onListed();
  const fanOut = openFanOut([chosen]);
  const result = await callListed(trial, each, fanOut, chosen, caller.signal);
  if (result === undefined || result.outcome === 'not_reached') throw new Error('a trial has no other worker');
  const { outcome, reason, assessment } = result;
  const isCancelled =
    caller.signal.reason instanceof InterruptedError && caller.signal.reason.interruption === 'cancelled';
  return {
    ending: {
      ...{ outcome: isCancelled ? 'cancelled' : outcome, reason, assessed: assessment !== 'none' },
      failures: fanOut.failures,
    },
    targets: {
      ...{ names, tried: chosen.key },
      ...(each.failWhen === undefined ? {} : { failWhen: askFailWhen(each.failWhen, fanOut.tally()) }),
    },
  };
}
