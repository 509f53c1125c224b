import { Command, CommanderError } from 'commander';
import { execExitCodes, exitCodes } from './refusal.ts';
import type { ExitCode } from './refusal.ts';
import { version } from './version.ts';

const footer = `
Environment:
  TEMPORAL_ADDRESS         host:port of Temporal (default: the stack that runs here, or port 7233)
  TEMPORAL_NAMESPACE       default: default
  TEMPORAL_TLS, TEMPORAL_TLS_CA_FILE, TEMPORAL_TLS_CERT_FILE, TEMPORAL_TLS_KEY_FILE,
  TEMPORAL_TLS_SERVER_NAME, TEMPORAL_API_KEY, TEMPORAL_API_KEY_FILE
                           TLS and API key of that server (docs/worker.md)
  ACTCORE_TASK_QUEUE       default: activity-core
  ACTCORE_DATABASE_URL     where the history is kept, as postgres://user:password@host:port/database
  ACTCORE_TEMPORAL_UI_URL  to print links into the Temporal UI
  ACTCORE_ACTOR            who is said to fire by hand (default: user@host)
  ACTCORE_SPOOL_DIR        where runs of outside sources wait for the history
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

type AddCommand = (program: Command, signal: AbortSignal) => void;

/** Every command in the order of the help, each loaded when it is wanted: what one needs takes the others half a second. */
const commands: Record<string, () => Promise<AddCommand>> = {
  new: async () => (await import('./commands/new.ts')).addNew,
  import: async () => (await import('./commands/import.ts')).addImport,
  lint: async () => (await import('./commands/lint.ts')).addLint,
  schema: async () => (await import('./commands/schema.ts')).addSchema,
  try: async () => (await import('./commands/try.ts')).addTry,
  simulate: async () => (await import('./commands/simulate.ts')).addSimulate,
  plan: async () => (await import('./commands/plan.ts')).addPlan,
  apply: async () => (await import('./commands/apply.ts')).addApply,
  render: async () => (await import('./commands/render.ts')).addRender,
  prune: async () => (await import('./commands/prune.ts')).addPrune,
  list: async () => (await import('./commands/list.ts')).addList,
  show: async () => (await import('./commands/show.ts')).addShow,
  canary: async () => (await import('./commands/canary.ts')).addCanary,
  trigger: async () => (await import('./commands/trigger.ts')).addTrigger,
  pause: async () => (await import('./commands/pause.ts')).addPause,
  resume: async () => (await import('./commands/resume.ts')).addResume,
  runs: async () => (await import('./commands/runs.ts')).addRuns,
  exec: async () => (await import('./commands/exec.ts')).addExec,
  record: async () => (await import('./commands/record.ts')).addRecord,
  flush: async () => (await import('./commands/flush.ts')).addFlush,
  run: async () => (await import('./commands/run.ts')).addRun,
  findings: async () => (await import('./commands/findings.ts')).addFindings,
  promote: async () => (await import('./commands/promote.ts')).addPromote,
  health: async () => (await import('./commands/health.ts')).addHealth,
  audit: async () => (await import('./commands/audit.ts')).addAudit,
  compare: async () => (await import('./commands/compare.ts')).addCompare,
  cutover: async () => (await import('./commands/cutover.ts')).addCutover,
  rebuild: async () => (await import('./commands/rebuild.ts')).addRebuild,
  errors: async () => (await import('./commands/errors.ts')).addErrors,
  history: async () => (await import('./commands/history.ts')).addHistory,
  journal: async () => (await import('./commands/journal.ts')).addJournal,
  export: async () => (await import('./commands/export.ts')).addExport,
  rollback: async () => (await import('./commands/rollback.ts')).addRollback,
  retire: async () => (await import('./commands/retire.ts')).addRetire,
  worker: async () => (await import('./commands/worker.ts')).addWorker,
  rollout: async () => (await import('./commands/rollout.ts')).addRollout,
  dev: async () => (await import('./commands/dev.ts')).addDev,
  doctor: async () => (await import('./commands/doctor.ts')).addDoctor,
  migrate: async () => (await import('./commands/migrate.ts')).addMigrate,
  completion: async () => (await import('./commands/completion.ts')).addCompletion,
};

/** Builds the program with the command that is named, or with all where none of them is. `signal` is aborted when the operator interrupts it. */
export async function buildProgram(signal: AbortSignal, name?: string): Promise<Command> {
  const program = new Command('actcore')
    .description('Recurring operations work as Markdown: Temporal fires it, Postgres keeps one row for every firing.')
    .version(version)
    .addHelpText('after', footer)
    .configureOutput({ getOutHelpWidth: () => helpColumns, getErrHelpWidth: () => helpColumns })
    .showSuggestionAfterError()
    // Or the options of a command would be taken from the one within it that has the same.
    .enablePositionalOptions()
    .showHelpAfterError('(actcore --help lists the commands)')
    .exitOverride();
  if (name === '--version' || name === '-V') return program;
  const wanted = Object.entries(commands).filter(([command]) => command === name);
  for (const [, load] of wanted.length > 0 ? wanted : Object.entries(commands)) (await load())(program, signal);
  return program;
}

/** Runs one command line; resolves to its exit code. Nothing is thrown: what goes wrong is explained on stderr. */
export async function runCli(args: string[], signal: AbortSignal): Promise<ExitCode | typeof execExitCodes.refused> {
  try {
    process.exitCode = exitCodes.ok;
    const [name] = args;
    // The completion tells of all commands.
    const program = await buildProgram(signal, name === 'completion' ? undefined : name);
    await program.parseAsync(args, { from: 'user' });
    return process.exitCode as ExitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.ok;
    // 1 may be what its command ended with.
    if (error instanceof CommanderError) return args[0] === 'exec' ? execExitCodes.refused : exitCodes.failed;
    const { explainError } = await import('./explain-error.ts');
    return explainError(error, signal);
  }
}
