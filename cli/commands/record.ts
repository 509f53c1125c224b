import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { identifyProcess } from '../../dev/process-identity.ts';
import type { Entry } from '../../outside/entry.ts';
import { createOutputRedactor } from '../../outside/output.ts';
import { createReporter } from '../../outside/reporter.ts';
import type { Reported } from '../../outside/reporter.ts';
import { ownSource } from '../../workflows/contract.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import { suggestDefinition } from '../outside-activity.ts';
import { explainMissing, openOutsideServices } from '../outside-services.ts';
import type { OutsideServices } from '../outside-services.ts';
import { showLine } from '../printable.ts';
import { Refusal, exitCodes } from '../refusal.ts';
import type { ExitCode } from '../refusal.ts';
import { paintOutcome } from '../run-output.ts';
import { checkToldRun, completeToldRun, parseFailure, parseToldRun } from '../told-run.ts';
import type { CheckedRun, ToldRun } from '../told-run.ts';

interface RecordOptions extends CommonOptions {
  definition: string;
  source: string;
  definitions?: string[];
  from?: string;
  outcome?: string;
  exitCode?: string;
  startedAt?: string;
  finishedAt?: string;
  scheduledAt?: string;
  message?: string;
  assessed?: boolean;
  assessmentFailure?: object[];
  reporterId?: string;
  strict?: boolean;
}

/** Nothing else waits for it. */
const patienceMs = 15_000;

export function addRecord(program: Command, signal: AbortSignal): void {
  const command = program
    .command('record')
    .summary('record a run that an outside source has made')
    .description(
      'Record a run that an outside source has made. While the history is away it waits in a spool on this machine ' +
        '(ACTCORE_SPOOL_DIR).',
    )
    .requiredOption('--definition <id>', 'the definition that the run did the work of')
    .requiredOption('--source <name>', 'the source that made it, as it stands under sources:', parseSource)
    .option('--definitions <path>', 'take the definition from this file or folder (repeatable)', collect)
    .option('--outcome <outcome>', 'how it ended (default: by the exit code)')
    .option('--exit-code <code>', 'exit code of what was run')
    .option('--started-at <time>', 'ISO time (default: that of its end)')
    .option('--finished-at <time>', 'ISO time (default: now)')
    .option('--scheduled-at <time>', 'ISO time of its tick (default: the one near its start)')
    .option('--message <text>', 'why it ended so')
    .option('--assessed', 'its data were judged, and nothing was found but what is listed')
    .option('--assessment-failure <target:rule:message>', 'something it found in the data (repeatable)', collectFailure)
    .option('--reporter-id <uuid>', 'names this run: told again under it, it is the same')
    .option('--from <file>', 'take all of that from JSON, - for stdin: outcome, exitCode, startedAt, ...')
    .option('--strict', 'refuse a definition or source that is not known');
  handle<RecordOptions>(withJson(command), signal, recordRun);
}

async function recordRun(session: Session, options: RecordOptions): Promise<ExitCode> {
  const { output } = session;
  const run = completeToldRun({ ...readFrom(options), ...readOptions(options) }, Date.now());
  const note = (text: string) => output.note(showLine(text));
  const services = openOutsideServices(session, options.definitions ?? []);
  for (const fault of services.faults) note(fault);
  if (options.strict === true) await requireKnownSource(services, options);
  const entry = describeEntry(session, options, run, await findSecrets(services, options));
  let isKept = false;
  try {
    services.spool?.add(entry);
    isKept = services.spool !== undefined;
  } catch (error) {
    note(error instanceof Error ? error.message : String(error));
  }
  const delivery = services.delivery && { ...services.delivery, resolve: services.find };
  const reported = await createReporter(delivery, services.spool).finish(entry, patienceMs);
  if (!('row' in reported) && !isKept) services.spool?.noteDropped();
  const keptIn = isKept ? services.spool?.folder : undefined;
  return tell(session, reported, { pool: services.pool, keptIn }, options);
}

/** What the options say goes over what the file does. */
function readFrom({ from }: RecordOptions): ToldRun {
  if (from === undefined) return {};
  try {
    const text = readFileSync(from === '-' ? 0 : from, 'utf8');
    return parseToldRun(text, from === '-' ? 'stdin' : from);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(`${from} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function readOptions(options: RecordOptions): ToldRun {
  const { outcome, exitCode, startedAt, finishedAt, scheduledAt, message, assessed, reporterId } = options;
  const given = {
    ...{ outcome, startedAt, finishedAt, scheduledAt, message, assessed, reporterId },
    exitCode: exitCode === undefined ? undefined : Number(exitCode),
    assessmentFailures: options.assessmentFailure,
  };
  return checkToldRun(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)), nameOption);
}

function nameOption([key, ...path]: PropertyKey[]): string {
  const words = String(key).replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return [`--${words}`, ...path].join('.');
}

async function requireKnownSource({ find, pool }: OutsideServices, { definition: id, source }: RecordOptions) {
  const activity = await find(id).catch(() => 'unanswered' as const);
  if (activity === 'unanswered' || activity?.sources[source] !== undefined) return;
  if (activity !== undefined) {
    const known = Object.keys(activity.sources).join(', ') || 'none';
    throw new Refusal(`${id} names no source ${source}`, `Its sources: ${known}`);
  }
  throw new Refusal(`The history knows no definition ${id}`, await suggestDefinition(pool, id));
}

/** The names that the definition keeps its secrets under, as far as anybody knows it. */
async function findSecrets({ cache, find }: OutsideServices, { definition }: RecordOptions): Promise<string[]> {
  const known = cache?.read(definition) ?? (await find(definition).catch(() => undefined));
  return known?.secrets ?? [];
}

function describeEntry(
  { settings, env }: Session,
  { definition, source }: RecordOptions,
  run: CheckedRun,
  secrets: string[],
): Entry {
  const { startedAt, finishedAt, scheduledAt, outcome, exitCode, reporterId, message, assessmentFailures = [] } = run;
  const exec = identifyProcess(process.pid);
  const redact = createOutputRedactor(secrets, env);
  const ended = exitCode === undefined ? '' : ` with the exit code ${exitCode}`;
  return {
    ...{ format: 1, definitionId: definition, source, actor: settings.actor, host: hostname(), startedAt },
    reporterId: reporterId ?? randomUUID(),
    ...(scheduledAt === undefined ? {} : { scheduledAt }),
    ...(exec === undefined ? {} : { exec }),
    end: {
      ...{ kind: 'told', finishedAt, outcome },
      reason: message === undefined ? `${source} reported ${outcome}${ended}` : redact(message),
      isAssessed: run.assessed === true || assessmentFailures.length > 0,
      failures: assessmentFailures.map(({ target, rule, message: found }) => {
        return { target: redact(target), rule: redact(rule), message: redact(found) };
      }),
      ...(exitCode === undefined ? {} : { exitCode }),
    },
  };
}

async function tell(
  { output }: Session,
  reported: Reported,
  place: Parameters<typeof explainMissing>[1],
  { definition }: RecordOptions,
): Promise<ExitCode> {
  if ('row' in reported) {
    const { runId, scheduledAt, outcome, flags, isOwn } = reported.row;
    output.data({ recorded: true, runId, scheduledAt, outcome, flags, isOwn });
    const flagged = flags.length === 0 ? '' : ` (${flags.join(', ')})`;
    const what = isOwn ? '' : 'another run of the tick ended first: ';
    output.line(`${what}${paintOutcome(outcome, output.colors)} at ${scheduledAt}${flagged}  ${runId}`);
    return exitCodes.ok;
  }
  const why = await explainMissing(reported, place, definition);
  output.data({ recorded: false, kept: place.keptIn !== undefined, missing: reported.missing });
  output.note(`not recorded yet: ${showLine(why ?? '')}`);
  return place.keptIn === undefined ? exitCodes.unreachable : exitCodes.ok;
}

function collectFailure(word: string, before: object[] = []): object[] {
  const failure = parseFailure(word);
  if (failure === undefined) throw new InvalidArgumentError('Expected target:rule:message.');
  return [...before, failure];
}

function parseSource(text: string): string {
  if (text !== ownSource) return text;
  throw new InvalidArgumentError(`${ownSource} records its runs itself; name the outside runner.`);
}

const collect = (path: string, before: string[] = []) => [...before, path];
