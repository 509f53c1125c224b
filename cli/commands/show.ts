import type { Command } from 'commander';
import { listRuns } from '../../history/queries.ts';
import type { RunRow } from '../../history/queries.ts';
import { handle, withJson } from '../command.ts';
import type { Session } from '../command.ts';
import { requireSchedule } from '../own-schedule.ts';
import type { OwnSchedule } from '../own-schedule.ts';
import type { Output } from '../output.ts';
import { showLine, showText } from '../printable.ts';
import { Refusal } from '../refusal.ts';
import { formatRuns } from '../run-output.ts';
import { formatFields } from '../table.ts';
import { withHistory } from '../history-service.ts';
import { withTemporal } from '../temporal-service.ts';

const shownTicks = 5;
const shownRuns = 5;

export function addShow(program: Command, signal: AbortSignal): void {
  const command = program
    .command('show')
    .summary('show one schedule and its last runs')
    .description('Show one schedule: what was applied, the next ticks, the last runs and the runbook.')
    .argument('<id>', 'id of the definition');
  handle(withJson(command), signal, async (session, _, [id = '']) => {
    const schedule = await withTemporal(session.settings, (client) => requireSchedule(client, id));
    const runs = await readRuns(id, session);
    const { content: _content, ...shown } = schedule;
    session.output.data({ ...shown, runs });
    session.output.line(formatSchedule(schedule, session.output));
    session.output.line(runs.length === 0 ? '\nno runs yet' : `\n${formatRuns(runs, session.output)}`);
    session.output.line(`\n${showText(schedule.runbook)}`);
  });
}

async function readRuns(definitionId: string, { settings, output }: Session): Promise<RunRow[]> {
  try {
    return await withHistory(settings, (pool) => listRuns(pool, { definitionId, limit: shownRuns }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    output.note(`runs are not shown: ${error.message}`);
    return [];
  }
}

function formatSchedule({ id, order, paused, note, nextTicks, running }: OwnSchedule, { colors }: Output): string {
  const { definition, budget, misfire } = order;
  const fields: [string, string][] = [
    ['id', id],
    ['title', showLine(definition.title)],
    ['owner', showLine(definition.owner)],
    ['kind', definition.kind],
    ['state', paused ? colors.yellow(`paused (${showLine(note ?? 'no note')})`) : 'on'],
    ['next', paused ? '' : nextTicks.slice(0, shownTicks).join('\n            ')],
    ['running', running.join(', ')],
    ['budget', `${budget.maxSeconds} s, aborted after ${budget.hardTimeoutMs / 1000} s`],
    ['misfire', `${misfire.policy} when more than ${misfire.graceMs / 1000} s late`],
    ['on failure', order.onFailure],
    order.kind === 'watchdog'
      ? ['checks', order.watchdog.checks.map(({ name, mode }) => `${name} (${mode})`).join(', ')]
      : ['request', showLine(`${order.sweep.request.method} ${order.sweep.request.url}`)],
    ['variables', [...order.env, ...order.secrets.map((name) => `${name} (secret)`)].join(', ')],
    ['revision', order.revision.slice(0, 12)],
    ['contract', order.contractHash.slice(0, 12)],
  ];
  return formatFields(fields, colors);
}
