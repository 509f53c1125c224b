import type { Problem } from '../compiler/problem.ts';
import { findTimezoneFault } from '../compiler/timezone.ts';
import { chooseDst } from './choose-dst.ts';
import { readCronText } from './cron-line.ts';
import { readCrontabLine, splitPercent } from './crontab-line.ts';
import type { CrontabEntry, CrontabSetting } from './crontab-line.ts';
import { wrapCrontabCommand } from './exec-wrapping.ts';
import { listExecWords } from './found-job.ts';
import type { FoundJob } from './found-job.ts';
import { nameCommand } from './name-job.ts';
import { maskSecrets } from './secrets.ts';

/** How a crontab is to be read. */
export interface CrontabOptions {
  /** The sixth word is a user, as in /etc/crontab and /etc/cron.d. */
  isSystem: boolean;
  /** The zone of the machine that it was for. */
  timezone: string;
  /** Whether CRON_TZ sets the zone of the lines below it: cronie does that, Debian's cron does not. */
  honoursCronTz: boolean;
  now: Date;
}

/** What came of a file: its jobs, and all that cannot be imported. */
export interface FoundJobs {
  jobs: FoundJob[];
  problems: Problem[];
  /** What concerns the file as a whole; sentences. */
  notes: string[];
}

/** Variables that cron itself reads. */
const ownSettings = new Set([
  'SHELL',
  'PATH',
  'HOME',
  'LOGNAME',
  'USER',
  'MAILTO',
  'MAILFROM',
  'CRON_TZ',
  'TZ',
  'RANDOM_DELAY',
  'CONTENT_TYPE',
]);

/** Reads a crontab: every job and every problem of it, in one pass. */
export function readCrontab(file: string, text: string, options: CrontabOptions): FoundJobs {
  const found: FoundJobs = { jobs: [], problems: [], notes: [] };
  if (/\0/.test(text)) {
    const message = 'the file holds a NUL byte; expected a crontab';
    found.problems.push({ file, line: 1, column: 1, path: '', severity: 'error', message });
    return found;
  }
  const settings = new Map<string, CrontabSetting>();
  const content = text.replace(/^\uFEFF/, '');
  for (const [index, row] of content.split('\n').entries()) {
    const line = readCrontabLine(row.replace(/\r$/, ''), index + 1, options);
    if (line === undefined) continue;
    if ('message' in line) found.problems.push({ file, path: '', severity: 'error', ...line });
    else if ('name' in line) addSetting(file, line, settings, found, options);
    else readEntry(file, line, settings, found, options);
  }
  if (content !== '' && !content.endsWith('\n')) {
    found.notes.push(`${file}: the last line has no line end, so cron may never have run it.`);
  }
  if (content.includes('\r\n')) {
    found.notes.push(`${file}: lines end with CR LF; cron gives the CR to the command, here it is left out.`);
  }
  return found;
}

function addSetting(
  file: string,
  setting: CrontabSetting,
  settings: Map<string, CrontabSetting>,
  found: FoundJobs,
  { honoursCronTz }: CrontabOptions,
): void {
  const { name, value, line } = setting;
  settings.set(name, setting);
  if (name === 'TZ') found.notes.push(`${file}:${line}: TZ is for the commands; the times do not follow it.`);
  if (name !== 'CRON_TZ') return;
  if (!honoursCronTz) {
    found.notes.push(`${file}:${line}: CRON_TZ=${value} is passed over, as Debian's cron does.`);
  } else if (findTimezoneFault(value) === undefined) {
    const isFirst = !found.notes.some((note) => note.includes('--cron vixie'));
    const advice = isFirst ? " Debian's cron passes it over: if that is what runs this crontab, say --cron vixie." : '';
    found.notes.push(`${file}:${line}: the lines below it fire by ${value}, as cronie reads CRON_TZ.${advice}`);
  } else {
    const fault = findTimezoneFault(value);
    const problem = { file, line, column: 1, path: '', severity: 'error' as const };
    found.problems.push({
      ...problem,
      message: fault?.message ?? '',
      ...(fault?.hint === undefined ? {} : { hint: fault.hint }),
    });
    settings.delete(name);
  }
}

function readEntry(
  file: string,
  entry: CrontabEntry,
  settings: ReadonlyMap<string, CrontabSetting>,
  found: FoundJobs,
  options: CrontabOptions,
): void {
  const { line, column } = entry;
  const times = readCronText(entry.times, 'vixie');
  if ('faults' in times) {
    for (const { offset, message, hint } of times.faults) {
      const advice = foreignNicknames[entry.times.toLowerCase()] ?? hint;
      const problem = { file, line, column: column + offset, path: '', severity: 'error' as const, message };
      found.problems.push(advice === undefined ? problem : { ...problem, hint: advice });
    }
    return;
  }
  const reported = /\bactcore exec\b.*--definition[ =](\S+)/.exec(entry.command)?.[1];
  if (reported !== undefined) {
    found.notes.push(`${file}:${line}: reports already, as ${reported}.`);
    return;
  }
  const zone = options.honoursCronTz ? settings.get('CRON_TZ')?.value : undefined;
  const timezone = zone ?? options.timezone;
  const { cron, skip } = times;
  found.jobs.push({
    ...{ file, line, column, label: `line ${line} of ${file}`, name: nameCommand(entry.command), group: 'crontab' },
    ...(entry.user === undefined ? {} : { owner: entry.user }),
    schedule: { cron, skip, timezone, ...chooseDst(times, timezone, options.now) },
    times: { kind: 'cron', text: entry.times, dialect: 'vixie', timezone },
    command: { ...splitPercent(entry.command), isShell: true },
    original: { language: 'crontab', text: maskSecrets([...listSettings(settings), entry.raw].join('\n')) },
    notes: describeEntry(entry, settings, zone),
    advise: (words) => ({
      language: 'crontab',
      how: 'Put this line in place of the old one',
      text: wrapCrontabCommand(
        { ...entry, command: maskSecrets(entry.command) },
        listExecWords(words),
        settings.get('SHELL')?.value,
      ),
    }),
  });
}

const foreignNicknames: Record<string, string> = {
  '@reboot':
    'nothing is due when a machine starts; let systemd start it (a service that is WantedBy=multi-user.target), or give it times',
  '@every': 'crontab(5) has no such word; a definition has `every:`, such as { every: 5m }',
};

function listSettings(settings: ReadonlyMap<string, CrontabSetting>): string[] {
  return [...settings.values()].map(({ name, value }) => `${name}=${value}`);
}

function describeEntry(
  entry: CrontabEntry,
  settings: ReadonlyMap<string, CrontabSetting>,
  zone: string | undefined,
): string[] {
  const mailTo = settings.get('MAILTO')?.value;
  const others = [...settings.keys()].filter((name) => !ownSettings.has(name) && entry.command.includes(`$${name}`));
  return [
    ...(entry.user === undefined ? [] : [`It ran as the user \`${entry.user}\`.`]),
    ...(mailTo
      ? [`Its output was sent by mail to ${mailTo}; nothing sends mail here, \`actcore health\` tells what failed.`]
      : []),
    ...(entry.raw.trimStart().startsWith('-')
      ? ['The `-` before its times kept it out of the log of cron; every run is recorded here.']
      : []),
    ...(zone === undefined ? [] : [`Its times are those of ${zone}, by CRON_TZ.`]),
    ...others.map((name) => `\`$${name}\` was set in the crontab.`),
  ];
}
