import { setTimeout as sleep } from 'node:timers/promises';
import { listDifferences, reconcile } from '../reconcile/pass.ts';
import { surveyAll } from '../reconcile/survey-all.ts';
import type { DefinitionAccount } from '../reconcile/survey.ts';
import type { AccountRequest } from './account.ts';
import { isWithin } from './span.ts';
import type { Span } from './span.ts';

const settleMs = 5_000;

/** Writes what is missing of one definition, as `actcore audit ID --fix` does. */
export async function reconcileOne({ stage, taskQueue, definition, span, signal }: AccountRequest): Promise<void> {
  const { client, history } = stage;
  for (;;) {
    const request = { id: definition.id, from: new Date(span.fromMs), settleMs, taskQueue, now: new Date() };
    const pass = await reconcile(client, history, request);
    if (pass.status === 'completed') return;
    // Another scenario is at it.
    await sleep(300, undefined, { signal });
  }
}

/** What `actcore audit ID` has to say of a span; nothing where it adds up. */
export async function surveyOne({ stage, taskQueue, definition, span }: AccountRequest): Promise<string[]> {
  const now = new Date();
  const request = {
    id: definition.id,
    from: new Date(span.fromMs),
    settleMs: now.getTime() - span.toMs,
    taskQueue,
    now,
  };
  const [survey] = await surveyAll(stage.client, stage.history, request).catch(tellBusy);
  if (typeof survey === 'string') return [survey];
  return survey === undefined ? ['nobody knows the definition'] : complain(survey.account, span);
}

/** A server with much to do may refuse a question; asked again it answers, or the account does not add up. */
function tellBusy(error: unknown): string[] {
  const { message, cause } = error as Error;
  return [`it could not be surveyed: ${message}${cause instanceof Error ? `: ${cause.message}` : ''}`];
}

function complain(account: DefinitionAccount, { fromMs, toMs }: Span): string[] {
  const [own] = account.sources;
  const told = listDifferences(account)
    .filter(({ scheduledAt }) => isWithin(Date.parse(scheduledAt), { fromMs, toMs }))
    .map(({ scheduledAt, kind, known }) => `${scheduledAt} ${kind}: ${known}`);
  const isEven = own !== undefined && own.expected === own.rows;
  return [
    ...account.faults,
    ...told,
    ...(isEven ? [] : [`audit expects ${own?.expected ?? 0} ticks and finds ${own?.rows ?? 0} rows`]),
  ];
}
