import type { FoundJob } from './found-job.ts';
import { translateCommand } from './http-call.ts';
import type { HttpCall } from './http-call.ts';
import { requestJob } from './job-request.ts';
import type { JobCall } from './job-request.ts';
import { readPlainCommand } from './plain-command.ts';

/** What the definition of a job does when it fires. */
export type JobAction =
  | { kind: 'request'; call: HttpCall }
  | { kind: 'job'; call: JobCall }
  /** It has no API yet: its URL is a variable, until there is one. The reason begins with "it" or "its". */
  | { kind: 'placeholder'; variable: string; reason: string };

/** The start of the names of a definition's own variables: `ops.nightly-sweep` gives `NIGHTLY_SWEEP`. */
export function nameVariables(id: string): string {
  const words = (id.split('.').at(-1) ?? id).toUpperCase().replaceAll('-', '_');
  return /^[A-Z_]/.test(words) ? words : `JOB_${words}`;
}

/** Prefers the request that the command makes, then the Job that Kubernetes can make, then a placeholder. */
export function chooseAction(job: FoundJob, id: string): JobAction {
  const base = nameVariables(id);
  const call =
    job.obstacle === undefined && job.command ? translateCommand(readPlainCommand(job.command), base) : undefined;
  if (call !== undefined && !('reason' in call)) return { kind: 'request', call };
  const made = job.jobTemplate === undefined ? undefined : requestJob(job.jobTemplate, base);
  if (made !== undefined && !('reason' in made)) return { kind: 'job', call: made };
  return makePlaceholder(id, made?.reason ?? job.obstacle ?? call?.reason ?? 'it calls no HTTP API');
}

/** What a definition does whose job has no API yet. */
export function makePlaceholder(id: string, reason: string): JobAction {
  return { kind: 'placeholder', variable: `${nameVariables(id)}_URL`, reason };
}
