import { setTimeout as sleep } from 'node:timers/promises';
import { TemplateError } from '../expressions/template.ts';
import { runIdOf } from '../history/run-id.ts';
import { storable } from '../history/storable.ts';
import { readAnswer } from './answer.ts';
import { InterruptedError } from './deadline.ts';
import type { Ending } from './ending.ts';
import {
  ExchangeError,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  TargetUnreachableError,
  openHttpClient,
} from './http-client.ts';
import { openHostGuard } from './host-guard.ts';
import { judgeAnswer } from './judgement.ts';
import { reasons } from './reasons.ts';
import { type RequestScope, buildRequest, renderTlsFiles } from './request.ts';
import type { RunContext } from './run.ts';
import { MissingVariableError, type Variables, resolveVariables } from './variables.ts';

const retryBackoffMs = 1_000;

/** The work of kind `sweep`: calls the API that does the work and judges its answer. */
export async function sweep(context: RunContext): Promise<Ending> {
  const { order, firing, deps } = context;
  if (order.kind === 'watchdog') {
    return { outcome: 'automation_error', reason: 'a watchdog was sent to be swept; this worker knows no watchdogs' };
  }
  let variables: Variables | undefined;
  let client: HttpClient | undefined;
  try {
    variables = resolveVariables(order, deps.environment);
    const { environment } = deps;
    const { request } = order.sweep;
    const idempotencyKey = runIdOf(order.definition.uuid, firing);
    const scope: RequestScope = { order, firing, values: variables.values, idempotencyKey };
    const guard = openHostGuard(environment);
    client = await openHttpClient({ tls: renderTlsFiles(request, scope), guard, environment });
    const response = await send(context, client, buildRequest(request, scope));
    const { answer, stored } = readAnswer(response, variables.redact);
    return { ...redactEnding(judgeAnswer(order.sweep.outcome, answer), variables), response: stored };
  } catch (error) {
    const reason = explainFault(error, context);
    if (reason === undefined) throw redactDefect(error, variables);
    return redactEnding({ outcome: 'automation_error', reason }, variables);
  } finally {
    await client?.close();
  }
}

/** Sends the request; again, after a growing pause, only when it cannot have reached the target. */
async function send(
  { order, signal, progress }: RunContext,
  client: HttpClient,
  request: HttpRequest,
): Promise<HttpResponse> {
  for (;;) {
    progress.stage = 'waiting for the target';
    try {
      return await client.exchange(request, signal);
    } catch (error) {
      if (!(error instanceof TargetUnreachableError) || progress.attempt >= order.retry.attempts) throw error;
    }
    progress.stage = 'waiting to try again';
    await pause(retryBackoffMs * 2 ** (progress.attempt - 1), signal);
    progress.attempt += 1;
  }
}

async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(durationMs, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}

function explainFault(error: unknown, { progress }: RunContext): string | undefined {
  if (error instanceof TargetUnreachableError) return reasons.unreachable(error.message, progress.attempt);
  const isForeseen =
    error instanceof ExchangeError || error instanceof MissingVariableError || error instanceof TemplateError;
  return isForeseen ? error.message : undefined;
}

/** What nobody foresaw goes to Temporal with its message and its causes: only a redacted message of it may. */
function redactDefect(error: unknown, variables: Variables | undefined): unknown {
  if (error instanceof InterruptedError || variables === undefined) return error;
  return new Error(variables.redact(error instanceof Error ? `${error.name}: ${error.message}` : String(error)));
}

/** The last gate before the row: no sentence of ours may carry a secret that the target or an error quoted. */
function redactEnding(ending: Ending, variables: Variables | undefined): Ending {
  const clean = (text: string) => storable(variables === undefined ? text : variables.redact(text));
  return {
    ...ending,
    reason: clean(ending.reason),
    ...(ending.failures === undefined
      ? {}
      : {
          failures: ending.failures.map(({ target, rule, message }) => ({
            target: clean(target),
            rule: clean(rule),
            message: clean(message),
          })),
        }),
  };
}
