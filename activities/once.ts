import type { Checkpoint } from './checkpoint.ts';
import { InterruptedError } from './deadline.ts';
import type { Ending } from './ending.ts';
import { HandOverError } from './hand-over.ts';
import { type Operation, sealUrl, unsealUrl } from './operation.ts';
import { reasons } from './reasons.ts';
import type { Sweep } from './sweep.ts';
import { callTarget } from './target.ts';

/**
 * The sweep of a single target. Where the target only accepts the work, the heartbeat holds the operation, so that
 * another worker goes on following it; it starts none of its own where one may have been started already.
 */
export async function sweepOnce(sweep: Sweep): Promise<Ending> {
  const { context, order, scope, variables } = sweep;
  const { deps, pulse, earlier } = context;
  const left = earlier?.operation;
  if (!context.isFirst && left === undefined && order.retry.idempotent !== true) {
    return { outcome: 'automation_error', reason: reasons.startLost };
  }
  let sealed: Operation | undefined = left;
  const leave = new AbortController();
  const onLeaving = () => {
    if (sealed !== undefined) leave.abort(new HandOverError());
  };
  context.describeWork = () => (sealed === undefined ? {} : { operation: sealed }) satisfies Partial<Checkpoint>;
  const signal = AbortSignal.any([context.signal, leave.signal]);
  const onAccepted = (operation: Operation) => {
    const url = sealUrl(operation.url, variables.redact, variables.values);
    if (url === undefined) return;
    sealed = { ...operation, url };
    pulse.touch();
    if (deps.leaving?.aborted === true) onLeaving();
  };
  deps.leaving?.addEventListener('abort', onLeaving, { once: true });
  try {
    const operation = left === undefined ? undefined : { ...left, url: unsealUrl(left.url, variables.values) };
    const caller = { ...sweep.caller, signal };
    const call = { caller, scope, hardTimeoutMs: order.budget.hardTimeoutMs, operation, onAccepted };
    return await callTarget(call);
  } catch (error) {
    const isShutdown = error instanceof InterruptedError && error.interruption === 'worker_shutdown';
    throw isShutdown && sealed !== undefined ? new HandOverError() : error;
  } finally {
    deps.leaving?.removeEventListener('abort', onLeaving);
  }
}
