import { createHash } from 'node:crypto';
import type {
  ScheduleDescription,
  ScheduleOptions,
  ScheduleOptionsStartWorkflowAction,
  ScheduleOverlapPolicy,
  Workflow,
} from '@temporalio/client';
import { SearchAttributeType, defineSearchAttributeKey } from '@temporalio/common';
import type { Priority, RetryPolicy, SearchAttributePair, TypedSearchAttributes } from '@temporalio/common';
import { writeCanonical } from '../compiler/digest.ts';
import type { Cadence } from '../workflows/contract.ts';
import { compileSpec, decompileSpec, normalizeCadence } from './spec.ts';

/**
 * All of a schedule that a definition decides, in the one form in which the wanted and the stored are compared.
 * Whether it is paused, its note and the marks in the action's memo stand beside it. A value that is a default is left out.
 */
export interface ScheduleContent {
  cadence: Cadence;
  policies: { overlap: ScheduleOverlapPolicy; catchupWindowMs: number; pauseOnFailure: boolean };
  workflowType: string;
  workflowId: string;
  taskQueue: string;
  args: unknown[];
  timeouts: { executionMs?: number; runMs?: number; taskMs?: number };
  summary: string;
  details: string;
  /** By name; values as JSON. */
  searchAttributes: Record<string, { type: SearchAttributeType; value: unknown }>;
  /** What stands in the action's memo besides our marks. */
  memo: Record<string, unknown>;
  retry?: RetryPolicy;
  priority?: Priority;
  /** A schedule that was told to end after so many more starts; no definition says that. */
  remainingActions?: number;
}

/** What the client is sent for a content, apart from pause and note. */
export interface ContentOptions {
  spec: ScheduleOptions['spec'];
  policies: NonNullable<ScheduleOptions['policies']>;
  action: ScheduleOptionsStartWorkflowAction<Workflow>;
}

/** Says how the content was brought into a normal form: a digest of another format cannot be compared with it. */
const format = '2:';

/** Names a content. Equal content has an equal digest, whichever side it was read from. */
export function digestContent(content: ScheduleContent): string {
  return format + createHash('sha256').update(writeCanonical(content)).digest('hex');
}

/** Whether a digest was made of the same normal form as those of today. */
export function isComparableDigest(digest: string): boolean {
  return digest.startsWith(format);
}

/** The content as the client takes it, with the marks in the action's memo. */
export function encodeContent(content: ScheduleContent, marks: Record<string, unknown>): ContentOptions {
  const { cadence, policies, timeouts, summary, details, memo, searchAttributes, retry, priority, ...names } = content;
  const { workflowType, workflowId, taskQueue, args } = names;
  return {
    spec: compileSpec(cadence),
    policies: {
      overlap: policies.overlap,
      catchupWindow: policies.catchupWindowMs,
      pauseOnFailure: policies.pauseOnFailure,
    },
    action: {
      type: 'startWorkflow',
      ...{ workflowType, workflowId, taskQueue, args },
      ...(timeouts.executionMs === undefined ? {} : { workflowExecutionTimeout: timeouts.executionMs }),
      ...(timeouts.runMs === undefined ? {} : { workflowRunTimeout: timeouts.runMs }),
      ...(timeouts.taskMs === undefined ? {} : { workflowTaskTimeout: timeouts.taskMs }),
      staticSummary: summary,
      staticDetails: details,
      typedSearchAttributes: encodeSearchAttributes(searchAttributes),
      memo: { ...memo, ...marks },
      ...(retry === undefined ? {} : { retry }),
      ...(priority === undefined ? {} : { priority }),
    },
  };
}

/** The content of a schedule on the server: the inverse of `encodeContent`. `marks` are the keys of the memo that are ours. */
export function decodeContent(description: ScheduleDescription, marks: readonly string[]): ScheduleContent {
  const { action, policies, raw, spec } = description;
  const state = raw.schedule?.state;
  const memo = Object.entries(action.memo ?? {}).filter(([key]) => !marks.includes(key));
  return {
    cadence: normalizeCadence(decompileSpec(spec)),
    policies: {
      overlap: policies.overlap,
      catchupWindowMs: policies.catchupWindow,
      pauseOnFailure: policies.pauseOnFailure,
    },
    workflowType: action.workflowType,
    workflowId: action.workflowId,
    taskQueue: action.taskQueue,
    args: [...(action.args ?? [])],
    // Typed as what one may ask for; a description holds milliseconds.
    timeouts: {
      ...pick('executionMs', action.workflowExecutionTimeout as number | undefined),
      ...pick('runMs', action.workflowRunTimeout as number | undefined),
      ...pick('taskMs', action.workflowTaskTimeout as number | undefined),
    },
    summary: action.staticSummary ?? '',
    details: action.staticDetails ?? '',
    searchAttributes: decodeSearchAttributes(action.typedSearchAttributes),
    memo: Object.fromEntries(memo),
    ...pick('retry', action.retry),
    ...(isPlain(action.priority) ? {} : { priority: action.priority as Priority }),
    ...(state?.limitedActions === true ? { remainingActions: Number(state.remainingActions ?? 0) } : {}),
  };
}

function encodeSearchAttributes(attributes: ScheduleContent['searchAttributes']): SearchAttributePair[] {
  return Object.entries(attributes).map(([name, { type, value }]) => {
    const isTime = type === SearchAttributeType.DATETIME;
    const pair = { key: defineSearchAttributeKey(name, type), value: isTime ? new Date(String(value)) : value };
    return pair as SearchAttributePair;
  });
}

function decodeSearchAttributes(
  attributes: TypedSearchAttributes | SearchAttributePair[] | undefined,
): ScheduleContent['searchAttributes'] {
  const pairs = Array.isArray(attributes) ? attributes : (attributes?.getAll() ?? []);
  return Object.fromEntries(pairs.map(({ key, value }) => [key.name, { type: key.type, value }]));
}

/** The server writes 0 or nothing for a limit that was not set. */
function pick<Key extends string, Value>(key: Key, value: Value | undefined): { [K in Key]?: Value } {
  return value === undefined || value === 0 ? {} : ({ [key]: value } as { [K in Key]?: Value });
}

function isPlain(priority: Priority | undefined): boolean {
  return priority === undefined || Object.values(priority).every((value) => !value);
}
