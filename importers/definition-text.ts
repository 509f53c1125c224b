import type { Node } from 'yaml';
import { Document, Scalar, isCollection, isScalar, visit } from 'yaml';
import { findShortestInterval } from '../compiler/check-budget.ts';
import { formatDuration } from '../compiler/duration.ts';
import type { JobAction } from './choose-action.ts';
import { nameZone } from './choose-dst.ts';
import type { FoundJob, JobSchedule, ReportAdvice } from './found-job.ts';
import { writeRunbook } from './runbook-text.ts';

/** Who and what a definition is besides its job. */
export interface DefinitionNames {
  id: string;
  owner: string;
  /** The name of the old runner under `sources:`. */
  source: string;
}

/** A limit where the command had none: an hour for work on the spot, five minutes for a request. */
const defaultSeconds = { request: 300, job: 3_600, placeholder: 3_600 };

/** Writes the definition file of a job: not enabled, and the old runner under `sources:`. */
export function writeDefinition(
  job: FoundJob,
  action: JobAction,
  names: DefinitionNames,
  advice: ReportAdvice,
): string {
  const title = titleOf(names.id);
  const document = new Document(
    {
      ...{ id: names.id, title, owner: names.owner, kind: 'sweep', enabled: false },
      schedule: writeTimes(job.schedule, job.jitterMs),
      ...(job.misfirePolicy === undefined ? {} : { misfire_policy: job.misfirePolicy }),
      ...writeGrace(job),
      budget: { max_seconds: chooseBudget(job, action) },
      ...writeRetry(action),
      ...writeAction(action),
      sources: { [names.source]: writeTimes(job.schedule) },
      ...writeSweep(action),
    },
    { aliasDuplicateObjects: false },
  );
  // A list of variables and a schedule are one line each, as they are written by hand.
  for (const path of [['schedule'], ['sources', names.source], ['budget'], ['retry'], ['env'], ['secrets']]) {
    const node = document.getIn(path, true);
    if (isCollection(node) && !document.hasIn([...path, 'skip'])) node.flow = true;
  }
  visit(document.get('schedule', true) as Node, { Scalar: quoteTimes });
  visit(document.get('sources', true) as Node, { Scalar: quoteTimes });
  const enabled = document.get('enabled', true);
  if (isScalar(enabled)) enabled.comment = ' true after a canary of this file has completed';
  const frontmatter = document.toString({ lineWidth: 0 }).replaceAll(/^(env|secrets): \[ (.*) \]$/gm, '$1: [$2]');
  return `---\n${frontmatter}---\n\n${writeRunbook(job, action, names, advice)}`;
}

/** A cron text is easier to see as one. */
function quoteTimes(_: unknown, node: Scalar): void {
  if (typeof node.value === 'string' && node.value.includes(' ')) node.type = Scalar.QUOTE_DOUBLE;
}

/** `ops.nightly-sweep` as `Nightly sweep`. */
function titleOf(id: string): string {
  const words = (id.split('.').at(-1) ?? id).replaceAll('-', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
}

function writeTimes(schedule: JobSchedule, jitterMs?: number): Record<string, unknown> {
  const { cron, every, timezone, dst, skip, start, end } = schedule;
  return {
    ...(cron === undefined ? { every } : { cron, timezone: nameZone(timezone) }),
    ...(dst === undefined ? {} : { dst }),
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(skip.length === 0 ? {} : { skip }),
    ...(jitterMs === undefined ? {} : { jitter: formatDuration(Math.floor(jitterMs)) }),
  };
}

/** A start that is late by the jitter is no misfire. */
function writeGrace({ graceMs, jitterMs }: FoundJob): Record<string, unknown> {
  const leastMs = jitterMs === undefined ? undefined : Math.floor(jitterMs / 1_000) * 1_000 + 60_000;
  const ms = Math.max(graceMs ?? 0, leastMs ?? 0);
  return ms === 0 ? {} : { misfire_grace: formatDuration(ms) };
}

/** Not longer than the time between two ticks, which a run beyond would skip. */
function chooseBudget({ schedule, maxSeconds }: FoundJob, action: JobAction): number {
  const { cron, every } = schedule;
  const intervalMs = findShortestInterval({ ...(cron === undefined ? { every } : { cron }) }) ?? Infinity;
  const stated = Math.min(maxSeconds ?? Infinity, 'call' in action ? (action.call.maxSeconds ?? Infinity) : Infinity);
  const seconds = Number.isFinite(stated) ? stated : defaultSeconds[action.kind];
  // A Job is polled for the first time after two seconds.
  const least = action.kind === 'job' ? 5 : 1;
  return Math.max(least, Math.min(seconds, 86_400, Math.floor(intervalMs / 1_000)));
}

function writeRetry(action: JobAction): Record<string, unknown> {
  if (action.kind === 'job') return { retry: { attempts: 3 } };
  return action.kind === 'request' && action.call.attempts !== undefined
    ? { retry: { attempts: action.call.attempts } }
    : {};
}

function writeAction(action: JobAction): Record<string, unknown> {
  if (action.kind === 'placeholder') return { env: [action.variable] };
  const { env, secrets } = action.call;
  return { ...(env.length === 0 ? {} : { env }), ...(secrets.length === 0 ? {} : { secrets }) };
}

function writeSweep(action: JobAction): Record<string, unknown> {
  if (action.kind === 'request') return { sweep: { request: action.call.request } };
  if (action.kind === 'job') {
    const { request, poll, outcome } = action.call;
    return { sweep: { request, poll, outcome } };
  }
  const body = { max_seconds: '${budget.max_seconds}', source: '${run.source}', run_id: '${run.id}' };
  return { sweep: { request: { method: 'POST', url: `\${${action.variable}}`, body } } };
}
