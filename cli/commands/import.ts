import { Option } from 'commander';
import type { Command } from 'commander';
import { findTimezoneFault } from '../../compiler/timezone.ts';
import { nameZone } from '../../importers/choose-dst.ts';
import { readCronJobs } from '../../importers/cronjob.ts';
import { readCrontab } from '../../importers/crontab.ts';
import type { FoundJobs } from '../../importers/crontab.ts';
import { maskSecrets } from '../../importers/secrets.ts';
import { readSystemdTimer } from '../../importers/systemd.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { readInput, readTimerFiles } from '../import-input.ts';
import type { InputFile } from '../import-input.ts';
import { concludeImport, describeImport, printImport } from '../import-output.ts';
import { runImport } from '../import-run.ts';
import { Refusal } from '../refusal.ts';
import { defaultDefinitions } from '../settings.ts';

interface ImportOptions extends CommonOptions {
  to: string;
  owner?: string;
  prefix?: string;
  source: string;
  timezone?: string;
  actcore: string;
  dryRun?: boolean;
  force?: boolean;
  system?: boolean;
  cron?: 'cronie' | 'vixie';
}

/** Reads what one argument names: its jobs, and the texts that problems point into. */
type Reader = (
  file: string,
  options: ImportOptions,
  place: { timezone: string; now: Date },
) => { found: FoundJobs; inputs: InputFile[] };

const exitNote =
  'Exits with 0 where all was imported and proven, with 1 where something was not, or fires at other times.';

export function addImport(program: Command, signal: AbortSignal): void {
  const command = program
    .command('import')
    .summary('make definitions of a crontab, of systemd timers or of CronJobs')
    .description(
      'Make definitions of the jobs of another scheduler: not enabled, with the old runner under `sources:`, and proven ' +
        `to fire at the same times for the next 400 days. ${exitNote}`,
    );
  addCrontab(command, signal);
  addSystemd(command, signal);
  addCronJob(command, signal);
}

function addCrontab(parent: Command, signal: AbortSignal): void {
  const command = parent
    .command('crontab')
    .summary('import the lines of crontabs')
    .description(
      `Make a definition of each line of a crontab. Another reader than ours, cron-parser, proves the times. ${exitNote}`,
    )
    .argument('<file...>', 'crontabs, or - for standard input')
    .option('--system', 'there is a user before each command (default for /etc/crontab and /etc/cron.d)')
    .addOption(
      new Option('--cron <daemon>', 'whose: cronie reads CRON_TZ, vixie (as on Debian) does not')
        .choices(['cronie', 'vixie'])
        .default('cronie'),
    )
    .addHelpText(
      'after',
      writeExamples([
        'crontab -l | actcore import crontab - --prefix ops',
        'actcore import crontab /etc/crontab /etc/cron.d/* --dry-run',
      ]),
    );
  handleImport(command, signal, 'local-cron', (file, { system, cron }, place) => {
    const input = readInput(file);
    const isSystem = system === true || /^\/etc\/(crontab$|cron\.d\/)/.test(file);
    const options = { isSystem, honoursCronTz: cron === 'cronie', ...place };
    return { found: readCrontab(input.file, input.text, options), inputs: [input] };
  });
}

function addSystemd(parent: Command, signal: AbortSignal): void {
  const command = parent
    .command('systemd')
    .summary('import systemd timers')
    .description(
      'Make a definition of each timer; the service beside it says what is run. systemd-analyze proves the times, where it is ' +
        `installed. ${exitNote}`,
    )
    .argument('<file...>', 'units such as /etc/systemd/system/backup.timer')
    .addHelpText(
      'after',
      writeExamples(['actcore import systemd /etc/systemd/system/*.timer --prefix ops --timezone Europe/Berlin']),
    );
  handleImport(command, signal, 'local-timer', (file, _, place) => {
    const files = readTimerFiles(file);
    return { found: readSystemdTimer(files, place), inputs: [...files.timer, ...(files.service ?? [])] };
  });
}

function addCronJob(parent: Command, signal: AbortSignal): void {
  const command = parent
    .command('cronjob')
    .summary('import CronJobs of Kubernetes')
    .description(
      'Make a definition of each CronJob of a manifest; one that only calls an HTTP API makes that call, others make their Job ' +
        `through the Kubernetes API. Another reader than ours, cron-parser, proves the times. ${exitNote}`,
    )
    .argument('<file...>', 'manifests in YAML or JSON, or - for standard input')
    .addHelpText('after', writeExamples(['kubectl get cronjobs -A -o yaml | actcore import cronjob -']));
  handleImport(command, signal, 'cronjob', (file, { timezone }, place) => {
    const input = readInput(file);
    const found = readCronJobs(input.file, input.text, { ...place, timezone: timezone ?? 'UTC' });
    return { found, inputs: [input] };
  });
}

function writeExamples(lines: string[]): string {
  return ['', 'Examples:', ...lines.map((line) => `  ${line}`)].join('\n');
}

function handleImport(command: Command, signal: AbortSignal, source: string, read: Reader): void {
  command
    .option('--to <folder>', 'where the definitions are written', defaultDefinitions)
    .option('--prefix <words>', 'what every id begins with, such as ops (default: what it comes from)')
    .option('--owner <name>', 'who answers for them (default: the user of the line, else you)')
    .option('--source <name>', 'what the old runner is called under `sources:`', source)
    .option('--timezone <zone>', 'the zone of times that name none (default: that of this machine; of a cluster, UTC)')
    .option('--actcore <program>', 'how the old runners are to call this program', 'actcore')
    .option('--dry-run', 'write nothing')
    .option('--force', 'replace definitions that are there');
  handle<ImportOptions>(withJson(command), signal, async ({ settings, output }, options, files) => {
    const now = new Date();
    const timezone = requireZone(options.timezone ?? nameZone(Intl.DateTimeFormat().resolvedOptions().timeZone));
    const reads = files.map((file) => read(file, options, { timezone, now }));
    const found: FoundJobs = {
      jobs: reads.flatMap((one) => one.found.jobs),
      problems: reads.flatMap((one) => one.found.problems),
      notes: reads.flatMap((one) => one.found.notes),
    };
    const result = await runImport(
      found,
      {
        ...{
          folder: options.to,
          owner: options.owner,
          actor: settings.actor,
          prefix: options.prefix,
          source: options.source,
        },
        ...{ program: options.actcore, isDryRun: options.dryRun === true, mayReplace: options.force === true, now },
      },
      output,
    );
    output.data(describeImport(result));
    // The line at fault is shown, and not what is secret in it.
    const texts = new Map(
      reads.flatMap(({ inputs }) => inputs.map(({ file, text }) => [file, maskSecrets(text)] as const)),
    );
    if (!output.json) printImport(result, texts, output);
    return concludeImport(result);
  });
}

function requireZone(name: string): string {
  const fault = findTimezoneFault(name);
  if (fault) throw new Refusal(`--timezone: ${fault.message}`, fault.hint);
  return name;
}
