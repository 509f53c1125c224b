import type { Client } from '@temporalio/client';
import type pg from 'pg';
import type { Command } from 'commander';
import { defaultSettleMs, reconcile } from '../../reconcile/pass.ts';
import type { Reconciliation } from '../../reconcile/pass.ts';
import { surveyAll } from '../../reconcile/survey-all.ts';
import { addsUp } from '../../reconcile/survey.ts';
import type { DefinitionAccount } from '../../reconcile/survey.ts';
import { describeAccount, formatAccount, formatAccounts } from '../audit-output.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import { withHistory } from '../history-service.ts';
import { Refusal, exitCodes } from '../refusal.ts';
import { parseSince } from '../since.ts';
import { parseSpan } from '../span.ts';
import { withTemporal } from '../temporal-service.ts';

interface AuditOptions extends CommonOptions {
  since?: Date;
  settle: number;
  fix?: boolean;
}

export function addAudit(program: Command, signal: AbortSignal): void {
  const command = program
    .command('audit')
    .summary('hold expected ticks, executions and rows against each other')
    .description(
      'Hold the ticks that were expected, the executions that Temporal has and the rows of the history against each ' +
        'other, and list each tick in which they differ. Exits with 1 where they do not add up.',
    )
    .argument('[id]', 'id of a definition; all when left out')
    .option('--since <span|time>', 'ticks since then: 90m, 72h, 7d, or an ISO time; 24h when left out', (text) =>
      parseSince(text),
    )
    .option('--settle <span>', 'how old a tick must be to be judged', parseSpan, defaultSettleMs)
    .option('--fix', 'first write what is missing, as actcore.reconcile-ticks does');
  command.options.find(({ long }) => long === '--settle')?.default(defaultSettleMs, '1m');
  handle<AuditOptions>(withJson(command), signal, async (session, options, [id]) =>
    withTemporal(session.settings, (client) =>
      withHistory(session.settings, (pool) => audit(session, client, pool, options, id)),
    ),
  );
}

const defaultSpanMs = 86_400_000;

async function audit(
  { settings, output }: Session,
  client: Client,
  pool: pg.Pool,
  { since, settle: settleMs, fix }: AuditOptions,
  id: string | undefined,
) {
  const now = new Date();
  const from = since ?? new Date(now.getTime() - defaultSpanMs);
  const onStep = (done: number, total: number) => output.progress(`comparing ${done} of ${total} definitions`);
  const { taskQueue } = settings;
  const request = { from, settleMs, taskQueue, now, onStep, ...(id === undefined ? {} : { id }) };
  const fixed = fix === true ? await fixAll(client, pool, request) : undefined;
  const accounts = (await surveyAll(client, pool, request)).map(({ account }) => account);
  if (id !== undefined && accounts.length === 0) {
    throw new Refusal(`Neither the server nor the history knows ${id}`, 'actcore list shows what there is.');
  }
  const isGood = accounts.every(addsUp);
  output.data({ addsUp: isGood, ...(fixed && { fixed }), definitions: accounts.map(describeAccount) });
  if (fixed !== undefined) output.line(`${describeFixed(fixed)}\n`);
  output.line(formatAll(accounts, id, output));
  return isGood ? exitCodes.ok : exitCodes.failed;
}

function formatAll(accounts: DefinitionAccount[], id: string | undefined, output: Session['output']): string {
  const [only] = accounts;
  if (only === undefined) return 'no definitions';
  return id === undefined ? formatAccounts(accounts, output) : formatAccount(only, output);
}

async function fixAll(
  client: Client,
  pool: pg.Pool,
  request: Parameters<typeof surveyAll>[2],
): Promise<Reconciliation> {
  const pass = await reconcile(client, pool, request);
  if (pass.status === 'completed') return pass;
  const { name, since } = pass.holder;
  throw new Refusal(
    `Another reconciliation is going: ${name === '' ? 'a session that this user may not see' : name}, since ${since}`,
    'It writes the same rows; audit again when it has ended.',
  );
}

function describeFixed({ written, later, assessment_failures: failures }: Reconciliation): string {
  const counted = Object.entries(written).map(([outcome, count]) => `${count} ${outcome}`);
  const what = counted.length === 0 ? 'nothing was missing' : `written: ${counted.join(', ')}`;
  const left = later === 0 ? '' : `; ${later} left for later`;
  return `${what}${left}${failures.length === 0 ? '' : `; ${failures.length} not well: see below`}`;
}
