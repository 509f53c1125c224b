import { Command, CommanderError } from 'commander';
import { addApply } from './commands/apply.ts';
import { addCanary } from './commands/canary.ts';
import { addCompletion } from './commands/completion.ts';
import { addDev } from './commands/dev.ts';
import { addDoctor } from './commands/doctor.ts';
import { addHistory } from './commands/history.ts';
import { addJournal } from './commands/journal.ts';
import { addLint } from './commands/lint.ts';
import { addList } from './commands/list.ts';
import { addMigrate } from './commands/migrate.ts';
import { addNew } from './commands/new.ts';
import { addPause } from './commands/pause.ts';
import { addPlan } from './commands/plan.ts';
import { addPrune } from './commands/prune.ts';
import { addResume } from './commands/resume.ts';
import { addRetire } from './commands/retire.ts';
import { addRollback } from './commands/rollback.ts';
import { addRun } from './commands/run.ts';
import { addRuns } from './commands/runs.ts';
import { addSchema } from './commands/schema.ts';
import { addShow } from './commands/show.ts';
import { addSimulate } from './commands/simulate.ts';
import { addTrigger } from './commands/trigger.ts';
import { addTry } from './commands/try.ts';
import { addWorker } from './commands/worker.ts';
import { explainError } from './explain-error.ts';
import { exitCodes } from './refusal.ts';
import type { ExitCode } from './refusal.ts';
import { version } from './version.ts';

const footer = `
Environment:
  TEMPORAL_ADDRESS         host:port of Temporal (default: the stack that runs here, or port 7233)
  TEMPORAL_NAMESPACE       default: default
  ACTCORE_TASK_QUEUE       default: activity-core
  ACTCORE_DATABASE_URL     where the history is kept, as postgres://user:password@host:port/database
  ACTCORE_TEMPORAL_UI_URL  to print links into the Temporal UI
  ACTCORE_ACTOR            who is said to fire by hand (default: user@host)
  ACTCORE_STATE_DIR        where the stack that runs here keeps its state (default: .actcore)
  NO_COLOR, FORCE_COLOR    set to print without colour, or with colour where no terminal is

Exit codes:
  0    done, or nothing to do
  1    problems in the input, refused, or a run that ended as automation_error or timed_out
  2    plan: changes are pending
  3    Temporal or the history cannot be reached
  130  interrupted (Ctrl-C); a run that was followed goes on
`;

/** The same everywhere, so that what the help says can be compared. */
const helpColumns = 100;

/** Builds the program. `signal` is aborted when the operator interrupts it. */
export function buildProgram(signal: AbortSignal): Command {
  const program = new Command('actcore')
    .description('Recurring operations work as Markdown: Temporal fires it, Postgres keeps one row for every firing.')
    .version(version)
    .addHelpText('after', footer)
    .configureOutput({ getOutHelpWidth: () => helpColumns, getErrHelpWidth: () => helpColumns })
    .showSuggestionAfterError()
    .showHelpAfterError('(actcore --help lists the commands)')
    .exitOverride();
  const additions = [
    ...[addNew, addLint, addSchema, addTry, addSimulate, addPlan, addApply, addPrune],
    ...[addList, addShow, addCanary, addTrigger, addPause, addResume],
    ...[addRuns, addRun, addHistory, addJournal, addRollback, addRetire],
    ...[addWorker, addDev, addDoctor, addMigrate, addCompletion],
  ];
  for (const add of additions) add(program, signal);
  return program;
}

/** Runs one command line; resolves to its exit code. Nothing is thrown: what goes wrong is explained on stderr. */
export async function runCli(args: string[], signal: AbortSignal): Promise<ExitCode> {
  try {
    process.exitCode = exitCodes.ok;
    await buildProgram(signal).parseAsync(args, { from: 'user' });
    return process.exitCode as ExitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.failed;
    return explainError(error, signal);
  }
}
