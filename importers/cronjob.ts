import { formatDuration, parseDuration } from '../compiler/duration.ts';
import { isMapping } from '../compiler/mapping.ts';
import type { Problem } from '../compiler/problem.ts';
import { findTimezoneFault } from '../compiler/timezone.ts';
import { chooseDst } from './choose-dst.ts';
import { readCronText } from './cron-line.ts';
import type { FoundJobs } from './crontab.ts';
import { adviseContainer, readContainer } from './cronjob-container.ts';
import type { FoundJob } from './found-job.ts';
import { readManifest } from './manifest.ts';
import type { ManifestObject } from './manifest.ts';
import { maskObject } from './mask-object.ts';

/** Reads the CronJobs of a manifest; other objects are passed over. `timezone` is that of the controller. */
export function readCronJobs(file: string, text: string, options: { timezone: string; now: Date }): FoundJobs {
  const { objects, problems } = readManifest(file, text);
  const found: FoundJobs = { jobs: [], problems, notes: [] };
  const others = new Map<string, number>();
  let count = 0;
  for (const object of objects) {
    const { kind } = object.value;
    if (kind === 'CronJob') {
      count += 1;
      readCronJob(file, object, options, found);
    } else {
      const name = typeof kind === 'string' ? kind : 'without a kind';
      others.set(name, (others.get(name) ?? 0) + 1);
    }
  }
  if (others.size > 0) {
    const list = [...others].map(([kind, number]) => `${number} ${kind}`).join(', ');
    found.notes.push(`${file}: passed over what is no CronJob: ${list}.`);
  }
  if (count === 0 && problems.length === 0) {
    problems.push({ file, line: 1, column: 1, path: '', severity: 'error', message: 'there is no CronJob in it' });
  }
  return found;
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function readCronJob(
  file: string,
  { value, locate }: ManifestObject,
  options: { timezone: string; now: Date },
  found: FoundJobs,
): void {
  const metadata = isMapping(value['metadata']) ? value['metadata'] : {};
  const spec = isMapping(value['spec']) ? value['spec'] : {};
  const name = readText(metadata['name']) ?? readText(metadata['generateName']);
  const namespace = readText(metadata['namespace']) ?? 'default';
  const refuse = (path: string[], offset: number, message: string, hint?: string): void => {
    const { line, column } = locate(...path);
    const problem: Problem = { file, line, column: column + offset, path: path.join('.'), severity: 'error', message };
    found.problems.push(hint === undefined ? problem : { ...problem, hint });
  };
  const before = found.problems.length;
  const schedule = readText(spec['schedule']);
  if (name === undefined) refuse(['metadata', 'name'], 0, 'the CronJob has no name');
  if (schedule === undefined) refuse(['spec', 'schedule'], 0, 'the CronJob has no `schedule` in text');
  const timezone = readText(spec['timeZone']) ?? options.timezone;
  const zoneFault = findTimezoneFault(timezone);
  if (zoneFault) refuse(['spec', 'timeZone'], 0, zoneFault.message, zoneFault.hint);
  const times = schedule === undefined ? undefined : sayTimes(schedule, timezone, options.now);
  if (times !== undefined && 'faults' in times) {
    for (const fault of times.faults) refuse(['spec', 'schedule'], fault.offset, fault.message, fault.hint);
  }
  if (found.problems.length > before || name === undefined || times === undefined || 'faults' in times) return;
  const container = readContainer(spec);
  found.jobs.push({
    ...{ file, ...locate('spec', 'schedule'), label: `CronJob ${namespace}/${name}`, name, group: namespace },
    ...times,
    ...container,
    ...(container.podSpec === undefined ? {} : { jobTemplate: { namespace, name, spec: container.jobSpec } }),
    original: { language: 'yaml', text: maskObject(withoutState(value)) },
    ...readGrace(spec),
    notes: [...times.notes, ...describeSpec(spec, options.timezone), ...container.notes],
    advise: (words) => adviseContainer(words, { namespace, name }, container),
  });
}

type Times = Pick<FoundJob, 'schedule' | 'times' | 'notes'>;

function sayTimes(
  schedule: string,
  timezone: string,
  now: Date,
): Times | { faults: { offset: number; message: string; hint?: string }[] } {
  const text = schedule.trim();
  const every = /^@every\s+(.+)$/.exec(text)?.[1];
  if (every !== undefined) return sayEvery(every, timezone);
  const times = readCronText(text, 'kubernetes');
  if ('faults' in times)
    return {
      faults: times.faults.map((fault) => ({
        ...fault,
        hint: /^@reboot/i.test(text)
          ? 'Kubernetes refuses it as well'
          : (fault.hint ?? 'see the CronJob in the documentation of Kubernetes'),
      })),
    };
  return {
    schedule: { cron: times.cron, skip: times.skip, timezone, ...chooseDst(times, timezone, now) },
    times: { kind: 'cron', text, dialect: 'kubernetes', timezone },
    notes: [],
  };
}

/** The API server takes it, and the controller counts from the last run. */
function sayEvery(text: string, timezone: string): Times | { faults: { offset: number; message: string }[] } {
  const read = parseDuration(text, true);
  if ('fault' in read || read.ms < 1_000)
    return { faults: [{ offset: 7, message: `\`${text}\` is no interval of whole seconds` }] };
  const every = formatDuration(read.ms);
  const why = `Kubernetes counts ${every} from the run before; a definition counts it from the epoch, in UTC`;
  return { schedule: { every, timezone, skip: [] }, times: { kind: 'unknowable', why }, notes: [`${why}.`] };
}

/** The controller gives up on a tick that is later than this; none means 100 missed ticks at most. */
function readGrace(spec: Record<string, unknown>): { graceMs?: number } {
  const seconds = spec['startingDeadlineSeconds'];
  return typeof seconds === 'number' && seconds > 0 ? { graceMs: Math.max(10, seconds) * 1_000 } : {};
}

function describeSpec(spec: Record<string, unknown>, zone: string): string[] {
  const { concurrencyPolicy, suspend, timeZone, startingDeadlineSeconds: deadline } = spec;
  const notes: string[] = [];
  if (timeZone === undefined)
    notes.push(`It names no \`timeZone\`, so its times are those of the controller: taken for ${zone}.`);
  if (concurrencyPolicy === undefined || concurrencyPolicy === 'Allow') {
    notes.push('`concurrencyPolicy: Allow` let runs overlap; here a tick is skipped while the run before is going.');
  } else if (concurrencyPolicy === 'Replace') {
    notes.push('`concurrencyPolicy: Replace` ended the run before; here that one goes on, and the tick is skipped.');
  }
  if (suspend === true) notes.push('`suspend: true`: it is suspended in Kubernetes as well.');
  if (typeof deadline === 'number' && deadline < 10)
    notes.push('`startingDeadlineSeconds` is below 10 s, the least that `misfire_grace` can be.');
  if (deadline === undefined)
    notes.push(
      'Without `startingDeadlineSeconds` Kubernetes starts the last missed tick however late; `misfire_policy: run_once` would do that here.',
    );
  return notes;
}

/** What the cluster wrote into the manifest is no part of it. */
function withoutState(value: Record<string, unknown>): Record<string, unknown> {
  const { status: _status, metadata, ...rest } = value;
  const {
    creationTimestamp: _made,
    generation: _generation,
    managedFields: _managed,
    resourceVersion: _version,
    uid: _uid,
    annotations,
    ...named
  } = isMapping(metadata) ? metadata : {};
  const own = isMapping(annotations)
    ? Object.fromEntries(Object.entries(annotations).filter(([name]) => !name.startsWith('kubectl.kubernetes.io/')))
    : {};
  return { ...rest, metadata: { ...named, ...(Object.keys(own).length === 0 ? {} : { annotations: own }) } };
}
