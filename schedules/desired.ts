import { basename } from 'node:path';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import type { Definition } from '../compiler/definition.ts';
import { catchupWindowMs, executionTimeoutMs } from '../compiler/server-limits.ts';
import { ownSource, searchAttributes, workflowType } from '../workflows/contract.ts';
import type { Order, Trigger } from '../workflows/contract.ts';
import { fitBytes } from './byte-limit.ts';
import { digestContent, encodeContent } from './content.ts';
import type { ContentOptions, ScheduleContent } from './content.ts';
import { normalizeCadence } from './spec.ts';

/** What a schedule on the server is to be. `digest` names all of it except whether it is paused. */
export interface DesiredSchedule {
  id: string;
  digest: string;
  enabled: boolean;
  /** Ids that it had before. */
  movedFrom: string[];
  order: Order;
  content: ScheduleContent;
  options: ContentOptions;
}

/** The key of the action's memo that marks a schedule as ours; its value is the digest. */
export const digestMemo = 'actcoreDigest';

/** The key of the action's memo that keeps what the definition says of `enabled`, which a pause by a person hides. */
export const enabledMemo = 'actcoreEnabled';

/** The key of the schedule's own memo that tells ours from others in a listing. */
export const ownerMemo = 'actcore';

/** The note of a schedule that is paused because its definition says so; any other pause is a person's. */
export const disabledNote = 'actcore: enabled is false in the definition';

/** The note of a schedule that its definition has put on again. */
export const enabledNote = 'actcore: enabled is true in the definition';

/** The note of a schedule that is paused until the one it takes the place of is gone. */
export const movingNote = 'actcore: moving here from another id';

/** How the note of a schedule begins whose definition is retired; who retired it, and why, follows. */
export const retiredNotePrefix = 'actcore: retired by ';

/** The server's limits, in bytes of UTF-8. */
const summaryLimitBytes = 400;
const detailsLimitBytes = 20_000;

/** Compiles a definition to the schedule that drives it. */
export function compileSchedule(definition: Definition, taskQueue: string): DesiredSchedule {
  const { id, enabled, movedFrom, order } = definition;
  const details = runOptions(definition, 'schedule', 'schedule').staticDetails;
  const content = compileContent(order, { taskQueue, details });
  const digest = digestContent(content);
  const options = encodeContent(content, markContent(digest, enabled));
  return { id, digest, enabled, movedFrom, order, content, options };
}

/** What a schedule that runs an order is to hold. The task queue and the runbook are not part of the order. */
export function compileContent(
  order: Order,
  { taskQueue, details }: Pick<ScheduleContent, 'taskQueue' | 'details'>,
): ScheduleContent {
  return {
    cadence: normalizeCadence(order.cadence),
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindowMs: catchupWindowMs(order),
      pauseOnFailure: false,
    },
    workflowType,
    workflowId: order.definition.id,
    taskQueue,
    args: [order],
    timeouts: { executionMs: executionTimeoutMs(order) },
    summary: summarizeOrder(order),
    details,
    searchAttributes: Object.fromEntries(
      describeRun(order, 'schedule', 'schedule').map(({ key, value }) => [key.name, { type: key.type, value }]),
    ),
    memo: {},
  };
}

/** The memo of the action that makes a schedule ours. */
export function markContent(digest: string, enabled: boolean): Record<string, unknown> {
  return { [digestMemo]: digest, [enabledMemo]: enabled };
}

/** What every run of a definition is started with besides its order, whoever fires it. */
export function runOptions(
  definition: Pick<Definition, 'file' | 'runbook' | 'order'>,
  trigger: Trigger,
  actor: string,
) {
  const { file, runbook, order } = definition;
  return {
    // A run that hangs would silence its schedule for ever.
    workflowExecutionTimeout: executionTimeoutMs(order),
    staticSummary: summarizeOrder(order),
    staticDetails: fitBytes(runbook, detailsLimitBytes, `\n\n… the rest is in ${basename(file)}`),
    typedSearchAttributes: describeRun(order, trigger, actor),
  };
}

function summarizeOrder({ definition }: Order): string {
  return fitBytes(definition.title, summaryLimitBytes, '…');
}

function describeRun(order: Order, trigger: Trigger, actor: string) {
  const { definition, source, revision, ...names } = searchAttributes;
  const values = [
    [definition, order.definition.id],
    [source, ownSource],
    [names.trigger, trigger],
    [names.actor, actor],
    [revision, order.revision.slice(0, 12)],
  ] as const;
  return values.map(([name, value]) => ({ key: defineSearchAttributeKey(name, SearchAttributeType.KEYWORD), value }));
}
