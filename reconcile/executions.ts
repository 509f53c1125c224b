import type { Client } from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import { ownSource, searchAttributes } from '../workflows/contract.ts';

/** One execution of our workflow, as the server's visibility shows it. */
export interface Execution {
  workflowId: string;
  runId: string;
  definitionId: string;
  /** Its first characters. */
  revision: string;
  /** Present when a schedule started it, also by the button in the Temporal UI. */
  scheduledMs?: number;
  startMs: number;
  /** Absent while it is open. */
  closeMs?: number;
  /** What it says of its own end. */
  outcome: string;
}

const keyword = (name: string) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD);
const definitionKey = keyword(searchAttributes.definition);
const revisionKey = keyword(searchAttributes.revision);
const outcomeKey = keyword(searchAttributes.outcome);
const scheduledKey = defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME);

/** Whose executions are listed: of definitions by their ids, of the workers of a task queue, or all. */
export type Whose = { definitionIds: string[] } | { taskQueue: string } | 'all';

/** All executions that were open at some time since then. */
export async function* listExecutions(client: Client, since: Date, owner: Whose): AsyncGenerator<Execution> {
  const time = `'${since.toISOString()}'`;
  const whose = writeCondition(owner);
  const query = `${whose} AND (StartTime >= ${time} OR CloseTime >= ${time} OR ExecutionStatus = 'Running')`;
  for await (const info of client.workflow.list({ query, pageSize: 1_000 })) {
    const attributes = info.typedSearchAttributes;
    const scheduled = attributes.get(scheduledKey);
    yield {
      workflowId: info.workflowId,
      runId: info.runId,
      definitionId: attributes.get(definitionKey) ?? '',
      revision: attributes.get(revisionKey) ?? '',
      startMs: info.startTime.getTime(),
      outcome: attributes.get(outcomeKey) ?? '',
      ...(scheduled === undefined ? {} : { scheduledMs: scheduled.getTime() }),
      ...(info.closeTime === undefined ? {} : { closeMs: info.closeTime.getTime() }),
    };
  }
}

function writeCondition(owner: Whose): string {
  const ours = `${searchAttributes.source} = '${ownSource}'`;
  if (owner === 'all') return ours;
  if ('taskQueue' in owner) return `${ours} AND TaskQueue = ${quote(owner.taskQueue)}`;
  return `${searchAttributes.definition} IN (${owner.definitionIds.map(quote).join(', ')})`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** How long the server keeps what has ended. */
export async function readRetentionMs(client: Client): Promise<number> {
  const { namespace } = client.options;
  const { config } = await client.workflowService.describeNamespace({ namespace });
  const seconds = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0);
  return seconds === 0 ? Infinity : seconds * 1_000;
}
