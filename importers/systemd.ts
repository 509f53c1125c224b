import type { Problem } from '../compiler/problem.ts';
import type { FoundJobs } from './crontab.ts';
import { listExecWords } from './found-job.ts';
import type { ExecWords, FoundJob, ReportAdvice } from './found-job.ts';
import { maskSecrets } from './secrets.ts';
import { readTimer } from './systemd-timer.ts';
import { listValues, readUnit, readValue } from './unit-file.ts';
import type { Unit } from './unit-file.ts';
import { readUnitSpan } from './unit-span.ts';

/** The files of a unit: itself and its drop-ins. */
export type UnitFiles = { file: string; text: string }[];

/** A timer with what it starts; `service` is absent where no file of it was found. */
export interface TimerFiles {
  /** `apt-daily.timer`. */
  name: string;
  timer: UnitFiles;
  service?: UnitFiles;
}

/** The unit that a timer starts: what Unit= says, else the service of its name. */
export function nameService(name: string, timer: UnitFiles): string {
  return readValue(readUnit(timer), 'Timer', 'Unit')?.value || `${name.replace(/\.timer$/, '')}.service`;
}

/** Reads a timer and its service. */
export function readSystemdTimer(files: TimerFiles, { timezone, now }: { timezone: string; now: Date }): FoundJobs {
  const { name, timer: timerFiles } = files;
  const file = timerFiles[0]?.file ?? name;
  const unit = readUnit(timerFiles);
  const service = readUnit(files.service ?? []);
  const { timer, problems } = readTimer(unit, { file, timezone, now });
  const all: Problem[] = [...unit.problems, ...service.problems, ...problems];
  if (timer === undefined || all.length > 0) return { jobs: [], problems: all, notes: [] };
  const serviceName = nameService(name, timerFiles);
  const starts = listValues(service, 'Service', 'ExecStart');
  const [place] = listValues(unit, 'Timer', 'OnCalendar', 'OnUnitActiveSec', 'OnUnitInactiveSec');
  const reported = starts.map(({ value }) => /\bactcore exec\b.*--definition[ =](\S+)/.exec(value)?.[1]).find(Boolean);
  if (reported !== undefined) return { jobs: [], problems: [], notes: [`${file}: reports already, as ${reported}.`] };
  const job: FoundJob = {
    ...{ file, line: place?.line ?? 1, column: place?.column ?? 1, label: file, group: 'systemd' },
    ...timer,
    name: name.replace(/\.timer$/, '').replace(/@$/, ''),
    ...readCommand(
      starts.map(({ value }) => value),
      serviceName,
      files.service !== undefined,
    ),
    original: {
      language: 'ini',
      text: maskSecrets([...timerFiles, ...(files.service ?? [])].map(showFile).join('\n\n')),
    },
    ...readBudget(service),
    notes: [...timer.notes, ...describeService(service, name)],
    advise: (words) =>
      adviseDropIn(
        words,
        starts.map(({ value }) => value),
        serviceName,
      ),
  };
  return { jobs: [job], problems: [], notes: [] };
}

function showFile({ file, text }: { file: string; text: string }): string {
  return `# ${file.split('/').at(-1) ?? file}\n${text.trim()}`;
}

/** The characters before a command that tell systemd how to run it. */
const prefix = /^[-@:+!|]*/;

function readCommand(starts: string[], service: string, isFound: boolean): Pick<FoundJob, 'command' | 'obstacle'> {
  const [start, ...more] = starts;
  if (!isFound) return { command: undefined, obstacle: `${service} was not found beside the timer` };
  if (start === undefined) return { command: undefined, obstacle: `${service} has no ExecStart=` };
  if (more.length > 0) return { command: undefined, obstacle: `${service} starts several commands` };
  const marks = prefix.exec(start)?.[0] ?? '';
  if (marks.includes('@'))
    return { command: undefined, obstacle: 'its ExecStart= gives the program another name (`@`)' };
  if (/%[a-zA-Z]/.test(start)) return { command: undefined, obstacle: 'its ExecStart= holds specifiers such as `%i`' };
  return { command: { line: start.slice(marks.length).replaceAll('%%', '%'), isShell: false } };
}

function readBudget(service: Unit): { maxSeconds?: number } {
  const spans = ['RuntimeMaxSec', 'TimeoutStartSec'].map((key) =>
    readUnitSpan(readValue(service, 'Service', key)?.value ?? ''),
  );
  const ms = Math.min(...spans.map((span) => (span === undefined || span <= 0 ? Infinity : span)));
  return Number.isFinite(ms) ? { maxSeconds: Math.max(1, Math.ceil(ms / 1_000)) } : {};
}

function describeService(service: Unit, name: string): string[] {
  const user = readValue(service, 'Service', 'User')?.value;
  const around = ['ExecStartPre', 'ExecStartPost', 'ExecStopPost', 'ExecCondition'].filter(
    (key) => listValues(service, 'Service', key).length > 0,
  );
  const conditions = [
    ...new Set(service.entries.filter(({ key }) => /^(Condition|Assert)/.test(key)).map(({ key }) => `${key}=`)),
  ];
  const files = listValues(service, 'Service', 'EnvironmentFile').map(({ value }) => value.replace(/^-/, ''));
  return [
    ...(user ? [`It ran as the user \`${user}\`.`] : []),
    ...(around.length > 0
      ? [`${around.map((key) => `${key}=`).join(', ')} stands around the command; \`exec\` covers ExecStart= alone.`]
      : []),
    ...(conditions.length > 0
      ? [`${conditions.join(', ')}: systemd passes a run over where that is not met, and nothing reports then.`]
      : []),
    ...(files.length > 0 ? [`Its variables come from ${files.join(', ')}.`] : []),
    ...(name.endsWith('@.timer') ? ['It is a template: import each instance, or give the ids apart by --prefix.'] : []),
  ];
}

/**
 * A drop-in that puts `exec` before the command. Of several only the last one reports: put together they would run under
 * the marks of one of them, and their words would be read by a shell, which they were not written for.
 */
function adviseDropIn(words: ExecWords, starts: string[], service: string): ReportAdvice {
  const exec = listExecWords(words).join(' ');
  const before = starts.slice(0, -1).map((start) => `ExecStart=${maskSecrets(start)}\n`);
  const last = starts.at(-1) ?? 'COMMAND';
  const marks = (prefix.exec(last)?.[0] ?? '').replace('@', '');
  const only = before.length === 0 ? '' : ', of whose commands the last one reports';
  const how = `Put this into a drop-in by \`systemctl edit ${service}\`${only}`;
  const command = maskSecrets(last.replace(prefix, ''));
  return {
    language: 'ini',
    how,
    text: `[Service]\nExecStart=\n${before.join('')}ExecStart=${marks}${exec} ${command}`,
  };
}
