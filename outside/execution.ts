import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { basename } from 'node:path';
import { identifyProcess } from '../dev/process-identity.ts';
import { runIdOf } from '../history/run-id.ts';
import type { KnownActivity } from './activity.ts';
import type { CommandResult } from './command.ts';
import type { CommandEnd, Entry } from './entry.ts';
import { createOutputRedactor, readCommandAnswer, readOutput } from './output.ts';
import { placeStart } from './place-start.ts';

/** What the operator asks for. */
export interface ExecRequest {
  definitionId: string;
  source: string;
  actor: string;
  command: string[];
  env: NodeJS.ProcessEnv;
  /** Instead of the hard timeout of the definition; 0 is none. */
  timeoutMs?: number;
  killAfterMs: number;
  lockSkippedCodes: number[];
  isJudged: boolean;
  isCaptured: boolean;
  isLocked: boolean;
  isStrict: boolean;
}

/** Begins the report of an execution by this process. */
export function openEntry({ definitionId, source, actor }: ExecRequest, known: KnownActivity | undefined): Entry {
  const exec = identifyProcess(process.pid);
  return {
    ...{ format: 1, reporterId: randomUUID(), definitionId, source, actor, host: hostname() },
    startedAt: new Date().toISOString(),
    ...(exec === undefined ? {} : { exec }),
    ...(known === undefined ? {} : { hardTimeoutMs: known.hardTimeoutMs }),
  };
}

/** The tick as far as this machine's own clock can tell. */
export function placeLocally({ startedAt, source }: Entry, known: KnownActivity | undefined): string {
  if (known === undefined) return startedAt;
  const { tickMs } = placeStart(known.sources[source], Date.parse(startedAt), known.toleranceMs);
  return new Date(tickMs).toISOString();
}

/** What the command is told of its run. */
export function describeRun(
  { source, reporterId, actor }: Entry,
  scheduledAt: string,
  known: KnownActivity | undefined,
): Record<string, string> {
  const firing = {
    source,
    trigger: 'external',
    actor,
    scheduledAt,
    workflowId: '',
    workflowRunId: reporterId,
  } as const;
  return {
    ACTCORE_RUN_ID: known === undefined ? reporterId : runIdOf(known.order.definition.uuid, firing),
    ACTCORE_SOURCE: source,
    ACTCORE_SCHEDULED_AT: scheduledAt,
    ...(known === undefined ? {} : { ACTCORE_MAX_SECONDS: String(known.maxSeconds) }),
  };
}

/** Says how the command of an execution ended, without any secret. */
export function describeEnd(request: ExecRequest, result: CommandResult, known: KnownActivity | undefined): CommandEnd {
  const redact = createOutputRedactor(known?.secrets ?? [], request.env);
  const { exitCode, signal, fault, timedOut, stoppedBy, leftRunning } = result;
  const output = readOutput(result, redact);
  const isAnswer = request.isJudged && fault === undefined;
  return {
    kind: 'command',
    finishedAt: new Date().toISOString(),
    name: redact(basename(request.command[0] ?? '')),
    ...{ exitCode, signal },
    ...(fault === undefined ? {} : { fault }),
    ...(timedOut === undefined ? {} : { timedOut }),
    ...(stoppedBy === undefined ? {} : { stoppedBy }),
    ...(leftRunning === undefined ? {} : { leftRunning }),
    lockSkippedCodes: request.lockSkippedCodes,
    ...(output === undefined ? {} : { output }),
    ...(isAnswer ? { answer: readCommandAnswer(result, redact) } : {}),
  };
}
