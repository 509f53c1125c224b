import type { EachPlan } from '../workflows/contract.ts';
import { InterruptedError } from './deadline.ts';
import { type EndedTarget, type FanOut, describeAssessment } from './fan-out.ts';
import { fanOutReasons } from './fan-out-reasons.ts';
import { nameEffect } from './idempotency-key.ts';
import { writeTime } from './iso-time.ts';
import { sealUrl, unsealUrl } from './operation.ts';
import type { Pulse } from './pulse.ts';
import { redactEnding } from './redact-ending.ts';
import type { Sweep } from './sweep.ts';
import { type TargetEnding, callTarget } from './target.ts';
import type { Target } from './target-list.ts';

/** One target has used up what it may take of the budget. */
class TargetTimeoutError extends Error {
  override readonly name = 'TargetTimeoutError';
}

/** What it takes to call one target of a sweep. */
type Calling = Pick<Sweep, 'caller' | 'order' | 'scope' | 'variables'> & {
  context: { pulse: Pick<Pulse, 'touch'> };
  onEnded?: (result: EndedTarget) => void;
};

/**
 * Calls one target of a fan-out and counts how it ended. Undefined where it has not, because the run goes on elsewhere.
 * Its Idempotency-Key comes from the run and the target's name, so every worker sends the same.
 *
 * @throws the signal's reason, and what nobody foresaw
 */
export async function callListed(
  sweep: Calling,
  each: EachPlan,
  fanOut: FanOut,
  target: Target,
  signal: AbortSignal,
): Promise<EndedTarget | undefined> {
  const { caller, order, scope, variables } = sweep;
  const asked = caller.confirm();
  if (asked !== undefined) await asked;
  const idempotencyKey = nameEffect(target.key, scope.idempotencyKey);
  const startedAt = writeTime(caller.now());
  const limit = limitTarget(signal, each.perTargetSeconds);
  let lastAttempt = 1;
  const onStage = (_: string, attempt: number) => void (lastAttempt = attempt);
  let ending: TargetEnding;
  try {
    const left = fanOut.operations.get(target.key);
    ending = await callTarget({
      // Not spreads: V8 is slow at those that add keys.
      caller: Object.assign({}, caller, { signal: limit.signal, target: target.key, onStage }),
      scope: Object.assign({}, scope, { target: target.value, idempotencyKey }),
      hardTimeoutMs: order.budget.hardTimeoutMs,
      operation: left === undefined ? undefined : { ...left, url: unsealUrl(left.url, variables.values) },
      onAccepted(operation) {
        const url = sealUrl(operation.url, variables.redact, variables.values);
        if (url !== undefined) fanOut.operations.set(target.key, { ...operation, url });
        sweep.context.pulse.touch();
      },
    });
  } catch (error) {
    const explained = explainInterruption(error, sweep, each);
    if (explained === undefined) throw error;
    ending = { ...explained, attempt: lastAttempt };
  } finally {
    limit.close();
  }
  const { outcome, reason, failures, attempt, response } = redactEnding(ending, variables.redact);
  const { assessment, assessmentFailureCount } = describeAssessment(ending);
  const result: EndedTarget = {
    ordinal: target.ordinal,
    target: target.key,
    outcome: outcome as EndedTarget['outcome'],
    assessment,
    assessmentFailureCount,
    reason,
    attempt,
    idempotencyKey,
    startedAt,
    finishedAt: writeTime(caller.now()),
  };
  if (response !== undefined) result.status = response.status;
  fanOut.end(result, failures);
  sweep.onEnded?.(result);
  return result;
}

/** A target that was aborted has ended, unless another worker will ask it again. */
function explainInterruption(error: unknown, { order }: Calling, { perTargetSeconds = 0 }: EachPlan) {
  if (error instanceof TargetTimeoutError) {
    return { outcome: 'timed_out' as const, reason: fanOutReasons.targetTimeout(perTargetSeconds * 1_000) };
  }
  if (!(error instanceof InterruptedError)) return undefined;
  switch (error.interruption) {
    case 'hard_timeout':
      return { outcome: 'timed_out' as const, reason: fanOutReasons.hardTimeoutDuring(order.budget.hardTimeoutMs) };
    case 'cancelled':
      return { outcome: 'automation_error' as const, reason: fanOutReasons.cancelledDuring };
    case 'worker_shutdown':
    case 'abandoned':
      return undefined;
  }
}

function limitTarget(signal: AbortSignal, limitSeconds: number | undefined): { signal: AbortSignal; close(): void } {
  if (limitSeconds === undefined) return { signal, close() {} };
  const own = new AbortController();
  const timer = setTimeout(() => own.abort(new TargetTimeoutError()), limitSeconds * 1_000);
  return { signal: AbortSignal.any([signal, own.signal]), close: () => clearTimeout(timer) };
}
