import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { suggestName } from '../../expressions/closest-name.ts';
import { execCommand } from '../../outside/exec.ts';
import type { ExecEnd } from '../../outside/exec.ts';
import { ownSource } from '../../workflows/contract.ts';
import { handle } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import { leaveBy, leaveWith } from '../leave.ts';
import { suggestDefinition } from '../outside-activity.ts';
import { explainMissing, openOutsideServices } from '../outside-services.ts';
import type { OutsideServices } from '../outside-services.ts';
import { showLine } from '../printable.ts';
import { execExitCodes } from '../refusal.ts';
import { parseSpan } from '../span.ts';

interface ExecOptions extends CommonOptions {
  definition: string;
  source: string;
  definitions?: string[];
  timeout?: number;
  killAfter?: number;
  lock: boolean;
  lockExitCode: number;
  lockSkippedCode?: number[];
  judge?: boolean;
  capture: boolean;
  strict?: boolean;
}

export function addExec(program: Command, signal: AbortSignal): void {
  const command = program
    .command('exec')
    .summary('run a command for an outside source, and record the run')
    .description(
      'Run a command as the timer of an outside source does, and record its start and its end. Output, signals and exit ' +
        'code are passed on as they are. The command runs whatever becomes of the record: while the history is away that ' +
        'waits in a spool on this machine (ACTCORE_SPOOL_DIR).',
    )
    .requiredOption('--definition <id>', 'the definition that the command does the work of')
    .requiredOption('--source <name>', 'the source that runs it, as it stands under sources:', parseSource)
    .option('--definitions <path>', 'take the definition from this file or folder (repeatable)', collect)
    .option('--timeout <span>', 'end it after so long, 0s for never (default: hard_timeout)', parseSpan)
    .option('--kill-after <span>', 'what has not ended so long after SIGTERM gets SIGKILL (default: 10s)', parseSpan)
    .option('--no-lock', 'run it also while another run of it is at work on this machine')
    .option('--lock-exit-code <code>', 'exit code where another run is at work', parseExitCode, 0)
    .option('--lock-skipped-code <code>', 'exit code by which it says so itself (repeatable)', collectCode)
    .option('--judge', 'its stdout is the answer of the API: judge it by the rules of the definition')
    .option('--no-capture', 'let it print by itself, and keep nothing of it')
    .option('--strict', 'refuse to run it for a definition or source that is not known')
    .argument('<command...>', 'the command and its arguments, after --')
    .passThroughOptions()
    .addHelpText('after', exitCodeHelp);
  const handler = (session: Session, options: ExecOptions, args: string[]) => runCommand(session, options, args);
  handle<ExecOptions>(command, signal, handler, { drains: true });
}

const exitCodeHelp = `
Exit codes:
  that of the command; where a signal ended it, exec ends by the same one
  0    another run of it is at work on this machine (--lock-exit-code)
  124  it was ended after its time
  125  exec itself was called wrongly, or refused under --strict
  126  it cannot be executed
  127  it was not found
`;

async function runCommand(session: Session, options: ExecOptions, command: string[]): Promise<never> {
  const { settings, output, env } = session;
  const note = (text: string) => output.note(`actcore exec: ${showLine(text)}`);
  // A limit to the size of files is a full disk to us, and no reason to die.
  process.on('SIGXFSZ', () => {});
  const services = openOutsideServices(session, options.definitions ?? []);
  const { definition: definitionId, source, timeout } = options;
  const known = services.cache?.read(definitionId);
  const ended = await execCommand(
    {
      ...{ definitionId, source, command, env, actor: settings.actor },
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
      killAfterMs: options.killAfter ?? 10_000,
      lockSkippedCodes: options.lockSkippedCode ?? [],
      isJudged: options.judge === true && options.capture,
      isCaptured: options.capture,
      isLocked: options.lock,
      isStrict: options.strict === true,
    },
    { ...services, known, stdout: process.stdout, stderr: process.stderr, signals: process },
  );
  await tell(ended, services, options, note);
  return leave(ended, options, command[0] ?? '');
}

/** At most one line, and none where all is well: what is printed here becomes a mail of cron's. */
async function tell(
  ended: ExecEnd,
  services: OutsideServices,
  { definition: id, source, lockExitCode }: ExecOptions,
  note: (text: string) => void,
): Promise<void> {
  if (ended.kind === 'refused') {
    const hint = ended.unknown === 'definition' ? await suggestDefinition(services.pool, id) : 'see its sources:';
    const what = ended.unknown === 'definition' ? `no definition ${id}` : `no source ${source} of ${id}`;
    return note(`it was not run: the history knows ${what} (${hint})`);
  }
  const keptIn = ended.isKept ? services.spool?.folder : undefined;
  const missing = await explainMissing(ended.reported, { pool: services.pool, keptIn }, id);
  const faults = [...services.faults, ...ended.faults];
  if (missing !== undefined || faults.length > 0)
    return note([...(missing === undefined ? [] : [missing]), ...faults].join('; '));
  if ('row' in ended.reported && ended.reported.row.flags.includes('retired_source')) {
    return note(`${source} is retired for ${id} and was run all the same: switch this timer off`);
  }
  const activity = services.cache?.read(id);
  if (activity !== undefined && activity.sources[source] === undefined) {
    const hint = suggestName(source, Object.keys(activity.sources), 'add it under sources:');
    return note(`recorded, but ${id} names no source ${source} (${hint})`);
  }
  if (ended.kind === 'locked' && (lockExitCode !== 0 || process.stderr.isTTY)) {
    note(`not run: another run of it is at work since ${ended.holder.since} (pid ${ended.holder.pid})`);
  }
}

async function leave(ended: ExecEnd, { lockExitCode }: ExecOptions, name: string): Promise<never> {
  if (ended.kind === 'refused') return leaveWith(execExitCodes.refused);
  if (ended.kind === 'locked') return leaveWith(lockExitCode);
  const { exitCode, signal, timedOut, fault } = ended.result;
  if (fault !== undefined) process.stderr.write(`actcore exec: ${showLine(name)}: ${fault}\n`);
  if (timedOut !== undefined) return leaveWith(execExitCodes.timedOut);
  return signal === null ? leaveWith(exitCode ?? execExitCodes.refused) : leaveBy(signal);
}

function parseSource(text: string): string {
  if (text !== ownSource) return text;
  throw new InvalidArgumentError(`${ownSource} records its runs itself; name the outside runner.`);
}

function parseExitCode(text: string): number {
  const code = Number(text);
  if (/^\d+$/.test(text) && code <= 255) return code;
  throw new InvalidArgumentError('Expected an exit code from 0 to 255.');
}

const collect = (path: string, before: string[] = []) => [...before, path];
const collectCode = (text: string, before: number[] = []) => [...before, parseExitCode(text)];
