import { z } from 'zod';
import { clockToleranceMs } from '../outside/clock.ts';
import { Refusal } from './refusal.ts';

/** Nobody can report that nothing was there to report. */
const outcomes = [
  ...['completed', 'lock_skipped', 'overlap_skipped', 'misfire_skipped', 'paused', 'timed_out', 'cancelled'],
  'automation_error',
] as const;

const moment = z.iso.datetime({ offset: true, error: 'expected a time such as 2026-11-21T03:00:00Z' });
const text = z.string().min(1);
const noExitCode = 'expected an exit code from 0 to 255';

/** A run as its runner tells of it. */
const toldRunSchema = z.strictObject({
  outcome: z.enum(outcomes).optional(),
  exitCode: z.int(noExitCode).min(0, noExitCode).max(255, noExitCode).optional(),
  startedAt: moment.optional(),
  finishedAt: moment.optional(),
  scheduledAt: moment.optional(),
  message: text.optional(),
  assessed: z.boolean().optional(),
  assessmentFailures: z.array(z.strictObject({ target: text, rule: text, message: text })).optional(),
  reporterId: z.uuid().optional(),
});

export type ToldRun = z.infer<typeof toldRunSchema>;
type ToldOutcome = (typeof outcomes)[number];

/** A run that was told of and can be true. */
export interface CheckedRun extends Omit<ToldRun, 'outcome' | 'startedAt' | 'finishedAt'> {
  outcome: ToldOutcome;
  startedAt: string;
  finishedAt: string;
}

/** Reads the JSON of a run; refuses what is none, naming the key. */
export function parseToldRun(json: string, place: string): ToldRun {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    throw new Refusal(`${place} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  return checkToldRun(value, (path) => [place, ...path].join('.'));
}

/** Refuses what is no run; `nameOf` words where in it something is wrong. */
export function checkToldRun(value: unknown, nameOf: (path: PropertyKey[]) => string): ToldRun {
  const read = toldRunSchema.safeParse(value);
  if (read.success) return read.data;
  const faults = read.error.issues.map(({ path, message }) => `${nameOf(path)}: ${message}`);
  throw new Refusal(faults.join('\n'), `Its keys: ${Object.keys(toldRunSchema.shape).join(', ')}`);
}

/** Completes a run by what follows from the rest; refuses one that says nothing of its end, or that is still to come. */
export function completeToldRun(told: ToldRun, nowMs: number): CheckedRun {
  const { exitCode } = told;
  const outcome =
    told.outcome ?? (exitCode === undefined ? undefined : exitCode === 0 ? 'completed' : 'automation_error');
  if (outcome === undefined) {
    throw new Refusal(
      'Nothing says how the run ended',
      `Give --outcome or --exit-code. Outcomes: ${outcomes.join(', ')}`,
    );
  }
  const finishedAt = toIso(told.finishedAt ?? new Date(nowMs).toISOString());
  const startedAt = toIso(told.startedAt ?? finishedAt);
  const times = { started: startedAt, finished: finishedAt, scheduled: told.scheduledAt ?? startedAt };
  for (const [name, time] of Object.entries(times)) {
    const aheadMs = Date.parse(time) - nowMs;
    if (aheadMs <= clockToleranceMs) continue;
    const seconds = Math.round(aheadMs / 1_000);
    throw new Refusal(`The run is ${name} at ${time}, ${seconds} s from now`, 'Only what has ended can be recorded.');
  }
  if (startedAt > finishedAt) throw new Refusal(`The run started at ${startedAt}, after its end at ${finishedAt}`);
  return {
    ...told,
    ...(told.scheduledAt === undefined ? {} : { scheduledAt: toIso(told.scheduledAt) }),
    ...{ outcome, startedAt, finishedAt },
  };
}

/** `target:rule:message`, of which only the message may hold more colons. */
export function parseFailure(word: string): { target: string; rule: string; message: string } | undefined {
  const [, target, rule, message] = /^([^:]+):([^:]+):(.+)$/s.exec(word) ?? [];
  if (target === undefined || rule === undefined || message === undefined) return undefined;
  return { target, rule, message };
}

function toIso(time: string): string {
  return new Date(time).toISOString();
}
