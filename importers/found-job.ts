import type { DstPolicy } from '../compiler/dst.ts';
import type { CronDialect } from './cron-line.ts';
import type { OldCommand } from './plain-command.ts';

/** When a job fires, as the keys of a definition say it. */
export interface JobSchedule {
  cron?: string;
  every?: string;
  timezone: string;
  dst?: DstPolicy;
  skip: string[];
  start?: string;
  end?: string;
}

/** What an independent reader is asked for the original's times; nothing where there are none to be known beforehand. */
export type OriginalTimes =
  | { kind: 'cron'; text: string; dialect: CronDialect; timezone: string }
  | { kind: 'calendar'; events: string[]; timezone: string }
  | {
      kind: 'unknowable';
      /** A sentence. */
      why: string;
    };

/** How the old runner reports its runs meanwhile: a text to put in place of what it has now. */
export interface ReportAdvice {
  language: string;
  /** What is to be done with the text, as a sentence. */
  how: string;
  text: string;
}

/** A job of another scheduler, with all that becomes of it here. */
export interface FoundJob {
  file: string;
  line: number;
  column: number;
  /** What the other scheduler calls it, such as `crontab line 12`. */
  label: string;
  /** Words that its id is made of. */
  name: string;
  /** Stands before its name where no prefix is asked for. */
  group: string;
  schedule: JobSchedule;
  times: OriginalTimes;
  command: OldCommand | undefined;
  /** In place of a command: the template of a Job that Kubernetes can be asked to run. */
  jobTemplate?: { namespace: string; name: string; spec: Record<string, unknown> };
  /** Why its command can be no request, where that does not depend on what it says. */
  obstacle?: string;
  owner?: string;
  original: { language: string; text: string };
  misfirePolicy?: 'run_once';
  graceMs?: number;
  maxSeconds?: number;
  jitterMs?: number;
  /** What differs, and what was left out; sentences. */
  notes: string[];
  /** Gives the text by which it reports as a source of a definition; undefined where that is not known. */
  advise: (words: ExecWords) => ReportAdvice;
}

/** What goes before a command that is to report. */
export interface ExecWords {
  /** `actcore`, or where it lies. */
  program: string;
  id: string;
  source: string;
}

/** The words themselves. */
export function listExecWords({ program, id, source }: ExecWords): string[] {
  return [program, 'exec', '--definition', id, '--source', source, '--'];
}
