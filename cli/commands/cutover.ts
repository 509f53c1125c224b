import type { Client } from '@temporalio/client';
import type { Command } from 'commander';
import type pg from 'pg';
import {
  findSourceRetirement,
  listSourceRetirements,
  recordSourceRetirement,
  recordSourceReturn,
} from '../../history/source-retirement.ts';
import type { SourceRetirement } from '../../history/source-retirement.ts';
import { ownSource } from '../../workflows/contract.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import { checkCutover, describeCheck } from '../cutover-check.ts';
import type { CutoverCheck, CutoverRequest } from '../cutover-check.ts';
import { formatAlready, formatCheck, formatRetirements, formatSwitchOff } from '../cutover-output.ts';
import { withHistory } from '../history-service.ts';
import { requireKnown } from '../known-definition.ts';
import { Refusal, exitCodes } from '../refusal.ts';
import { parseSince } from '../since.ts';
import { withTemporal } from '../temporal-service.ts';
import { signAs } from '../workspace.ts';

interface CheckOptions extends CommonOptions {
  from: string;
  to: string;
  since?: Date;
}

interface ConfirmOptions extends CheckOptions {
  reason?: string;
  force?: boolean;
}

type RevertOptions = CommonOptions & Pick<ConfirmOptions, 'from' | 'reason'>;

export function addCutover(program: Command, signal: AbortSignal): void {
  const command = program
    .command('cutover')
    .summary('move the work from one source to another, on evidence')
    .description('Move the work of a definition from one source to another: check, confirm, and take it back.');
  addCheck(command, signal);
  addConfirm(command, signal);
  addRevert(command, signal);
  addStatus(command, signal);
}

function withSources(command: Command): Command {
  return command
    .argument('<id>', 'id of the definition')
    .requiredOption('--from <source>', 'the old one, such as local-timer')
    .option('--to <source>', 'the new one', ownSource)
    .option('--since <span|time>', 'look further back than cutover.window: 90m, 96h, 7d, or an ISO time', (text) =>
      parseSince(text),
    );
}

function addCheck(cutover: Command, signal: AbortSignal): void {
  const command = cutover
    .command('check')
    .summary('say whether the old source may be switched off')
    .description(
      'Say whether the old source may be switched off, with each criterion and its figure. Exits with 0 for go, with 1 for no-go.',
    );
  handle<CheckOptions>(withJson(withSources(command)), signal, async (session, options, [id = '']) => {
    const check = await withBoth(session, (client, pool) => checkCutover(session, client, pool, { id, ...options }));
    session.output.data(describeCheck(check));
    session.output.line(formatCheck(check, session.output));
    return check.isGo ? exitCodes.ok : exitCodes.failed;
  });
}

function addConfirm(cutover: Command, signal: AbortSignal): void {
  const command = cutover
    .command('confirm')
    .summary('retire the old source after a check that says go')
    .description(
      'Retire the old source: check once more, keep who decided and on which evidence in the journal, and expect nothing of it ' +
        'any more. It is then switched off by hand where it runs. Exits with 1 where the check says no-go.',
    );
  withSources(command)
    .option('--reason <text>', 'why, for whoever reads the journal')
    .option('--force', 'retire it against the check; --reason has to say why');
  handle<ConfirmOptions>(withJson(command), signal, async (session, options, [id = '']) =>
    withBoth(session, (client, pool) => confirm(session, client, pool, { ...options, id })),
  );
}

function withBoth<Result>(session: Session, use: (client: Client, pool: pg.Pool) => Promise<Result>): Promise<Result> {
  return withTemporal(session.settings, (client) => withHistory(session.settings, (pool) => use(client, pool)));
}

async function confirm(
  session: Session,
  client: Client,
  pool: pg.Pool,
  { reason, force = false, ...request }: ConfirmOptions & CutoverRequest,
) {
  const { output } = session;
  if (force && (reason ?? '').trim() === '') {
    throw new Refusal('--force needs a --reason', 'Say why it is retired against the check; the journal keeps it.');
  }
  const { definition } = await requireKnown(pool, request.id);
  const before = await findSourceRetirement(pool, { definitionUuid: definition.uuid, source: request.from });
  if (before?.successor === request.to) return tellAlready(session, request, before);
  const check = await checkCutover(session, client, pool, request);
  const evidence = describeCheck(check);
  if (!check.isGo && !force) {
    output.data({ ...evidence, retired: false });
    output.line(formatCheck(check, output));
    output.note(`${request.from} is not retired; --force with a --reason does it all the same`);
    return exitCodes.failed;
  }
  const isNew = await retire(session, pool, check, reason);
  output.data({ ...evidence, retired: true, wasRetired: !isNew });
  output.line(formatCheck(check, output));
  const against = check.isGo ? '' : ', against the check';
  output.line(`\n${request.from} is retired in favour of ${request.to}${against}\n`);
  output.line(formatSwitchOff(request.from, request.id, output));
  return exitCodes.ok;
}

async function retire(
  { settings }: Session,
  pool: pg.Pool,
  check: CutoverCheck,
  reason: string | undefined,
): Promise<boolean> {
  const { id, uuid, from: source, to: successor, isGo } = check;
  const evidence = { ...JSON.parse(JSON.stringify(describeCheck(check))), forced: !isGo };
  const grounds = { definitionUuid: uuid, definitionId: id, source, successor, evidence, reason };
  const db = await pool.connect();
  try {
    return await recordSourceRetirement(db, grounds, signAs('cutover confirm', settings));
  } finally {
    db.release();
  }
}

function tellAlready({ output }: Session, { id, from, to }: CutoverRequest, retired: SourceRetirement) {
  output.data({ id, from, to, retired: true, wasRetired: true, ...retired });
  output.line(formatAlready(from, retired, output.colors));
  output.line(formatSwitchOff(from, id, output));
  return exitCodes.ok;
}

function addRevert(cutover: Command, signal: AbortSignal): void {
  const command = cutover
    .command('revert')
    .summary('let a retired source fire again')
    .description('Let a retired source fire again: from now on its ticks are expected as before.')
    .argument('<id>', 'id of the definition')
    .requiredOption('--from <source>', 'the one that is retired')
    .option('--reason <text>', 'why, for whoever reads the journal');
  handle<RevertOptions>(withJson(command), signal, async ({ settings, output }, { from, reason }, [id = '']) => {
    const returned = await withHistory(settings, async (pool) => {
      const { definition } = await requireKnown(pool, id);
      const db = await pool.connect();
      try {
        const source = { definitionUuid: definition.uuid, definitionId: id, source: from };
        return await recordSourceReturn(db, source, reason, signAs('cutover revert', settings));
      } finally {
        db.release();
      }
    });
    if (returned === undefined) {
      throw new Refusal(`${from} is not retired for ${id}`, 'actcore cutover status shows what is.');
    }
    output.data({ id, reverted: true, ...returned });
    output.line(`${from} may fire again; it was retired since ${returned.retiredAt}. Switch it on where it runs.`);
  });
}

function addStatus(cutover: Command, signal: AbortSignal): void {
  const command = cutover
    .command('status')
    .summary('list the sources that are or were retired')
    .description('List the sources that are retired, and those that were and fire again, the newest first.')
    .argument('[id]', 'id of a definition; all when left out');
  handle(withJson(command), signal, async ({ settings, output }, _, [id]) => {
    const retirements = await withHistory(settings, async (pool) =>
      listSourceRetirements(pool, id === undefined ? undefined : (await requireKnown(pool, id)).definition.uuid),
    );
    output.data({ retirements });
    output.line(formatRetirements(retirements, output));
  });
}
