import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleOptions, ScheduleOptionsStartWorkflowAction, Workflow } from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import type { Definition } from '../compiler/definition.ts';
import { catchupWindowMs, executionTimeoutMs } from '../compiler/server-limits.ts';
import { ownSource, searchAttributes, workflowType } from '../workflows/contract.ts';
import type { Order, Trigger } from '../workflows/contract.ts';
import { fitBytes } from './byte-limit.ts';
import { compileSpec } from './spec.ts';

/** What a schedule on the server is to be. `digest` names all of it except whether it is paused. */
export interface DesiredSchedule {
  id: string;
  digest: string;
  enabled: boolean;
  order: Order;
  options: {
    spec: ScheduleOptions['spec'];
    policies: NonNullable<ScheduleOptions['policies']>;
    action: ScheduleOptionsStartWorkflowAction<Workflow>;
  };
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

/** How the note of a schedule begins whose definition is retired; who retired it, and why, follows. */
export const retiredNotePrefix = 'actcore: retired by ';

/** The server's limits, in bytes of UTF-8. */
const summaryLimitBytes = 400;
const detailsLimitBytes = 20_000;

/** Compiles a definition to the schedule that drives it. */
export function compileSchedule(definition: Definition, taskQueue: string): DesiredSchedule {
  const { id, enabled, order } = definition;
  const spec = compileSpec(order.cadence);
  const policies = {
    overlap: ScheduleOverlapPolicy.SKIP,
    catchupWindow: catchupWindowMs(order),
    pauseOnFailure: false,
  };
  const action = {
    type: 'startWorkflow' as const,
    workflowType,
    workflowId: id,
    taskQueue,
    args: [order],
    ...runOptions(definition, 'schedule', 'schedule'),
  };
  const content = JSON.stringify({ spec, policies, action: { ...action, typedSearchAttributes: undefined } });
  const digest = createHash('sha256').update(content).digest('hex');
  return {
    id,
    digest,
    enabled,
    order,
    options: { spec, policies, action: { ...action, memo: { [digestMemo]: digest, [enabledMemo]: enabled } } },
  };
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
    staticSummary: fitBytes(order.definition.title, summaryLimitBytes, '…'),
    staticDetails: fitBytes(runbook, detailsLimitBytes, `\n\n… the rest is in ${basename(file)}`),
    typedSearchAttributes: describeRun(order, trigger, actor),
  };
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
