import { runIdOf } from '../history/run-id.ts';
import type { SweepOrder } from '../workflows/contract.ts';
import { openAnswerMemory } from './answer-memory.ts';
import type { Caller } from './caller.ts';
import { InterruptedError } from './deadline.ts';
import { sweepEach } from './each.ts';
import type { Ending } from './ending.ts';
import { explainFault } from './faults.ts';
import { HandOverError } from './hand-over.ts';
import { openHostGuard } from './host-guard.ts';
import { type HttpClient, openHttpClient } from './http-client.ts';
import { redactDefect, redactEnding } from './redact-ending.ts';
import { type RequestScope, renderTlsFiles } from './request.ts';
import type { RunContext } from './run.ts';
import { sweepOnce } from './once.ts';
import { type Variables, resolveVariables } from './variables.ts';

/** A sweep that can begin: its variables have values and its client is open. */
export interface Sweep {
  context: RunContext;
  order: SweepOrder;
  caller: Caller;
  scope: RequestScope;
  variables: Variables;
}

/** The work of kind `sweep`: calls the API that does the work and judges its answer. */
export async function sweep(context: RunContext): Promise<Ending> {
  const { order, deps } = context;
  if (order.kind === 'watchdog') {
    return { outcome: 'automation_error', reason: 'a watchdog was sent to be swept; this worker knows no watchdogs' };
  }
  let variables: Variables | undefined;
  let client: HttpClient | undefined;
  try {
    variables = resolveVariables(order, deps.environment);
    const scope = openScope(context, order, variables);
    client = await openClient(context, order, scope);
    const caller = openCaller(context, order, client, variables);
    const prepared: Sweep = { context, order, scope, variables, caller };
    const { each } = order.sweep;
    const ending = each === undefined ? await sweepOnce(prepared) : await sweepEach(prepared, each);
    return redactEnding(ending, variables.redact);
  } catch (error) {
    if (error instanceof InterruptedError || error instanceof HandOverError) throw error;
    const reason = explainFault(error);
    if (reason === undefined) throw redactDefect(error, variables?.redact);
    return redactEnding({ outcome: 'automation_error', reason }, variables?.redact);
  } finally {
    await client?.close();
  }
}

function openScope({ firing }: RunContext, order: SweepOrder, variables: Variables): RequestScope {
  const idempotencyKey = runIdOf(order.definition.uuid, firing);
  return { order, firing, values: variables.values, idempotencyKey };
}

async function openClient({ deps }: RunContext, order: SweepOrder, scope: RequestScope): Promise<HttpClient> {
  const { environment } = deps;
  const { request, each } = order.sweep;
  return openHttpClient({
    tls: renderTlsFiles(request, scope),
    guard: openHostGuard(environment),
    environment,
    ...(each === undefined ? {} : { connections: each.concurrency }),
  });
}

function openCaller(context: RunContext, order: SweepOrder, client: HttpClient, { redact }: Variables): Caller {
  const { account, deps, progress, pulse, signal, startedAt } = context;
  const { maxSeconds } = order.budget;
  return {
    ...{ client, plan: order.sweep, retry: order.retry, maxSeconds, signal, account, redact, now: deps.now },
    startsUntilMs: startedAt.getTime() + maxSeconds * 1_000,
    ...(order.sweep.each === undefined ? {} : { memory: openAnswerMemory(order.sweep) }),
    onStage(stage, attempt) {
      progress.stage = stage;
      progress.attempt = attempt;
    },
    confirm: () => pulse.confirm(signal),
  };
}
