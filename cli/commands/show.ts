import type { Command } from 'commander';
import { readHeadroom } from '../../history/headroom.ts';
import type { Headroom } from '../../history/headroom.ts';
import { listRuns } from '../../history/queries.ts';
import type { RunRow } from '../../history/queries.ts';
import { listSourceRetirements } from '../../history/source-retirement.ts';
import type { SourceRetirement } from '../../history/source-retirement.ts';
import { handle, withJson } from '../command.ts';
import type { Session } from '../command.ts';
import { requireSchedule } from '../own-schedule.ts';
import type { OwnSchedule } from '../own-schedule.ts';
import type { Colors, Output } from '../output.ts';
import { showLine, showText } from '../printable.ts';
import { Refusal } from '../refusal.ts';
import { formatMs, formatRuns } from '../run-output.ts';
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
    const record = await readRecord(schedule, session);
    const { runs, headroom, retired } = record;
    const { content: _content, ...shown } = schedule;
    session.output.data({ ...shown, headroom: headroom ?? null, retiredSources: retired, runs });
    session.output.line(formatSchedule(schedule, record, session.output));
    session.output.line(runs.length === 0 ? '\nno runs yet' : `\n${formatRuns(runs, session.output)}`);
    session.output.line(`\n${showText(schedule.runbook)}`);
  });
}

/** What the history adds to what the server says. */
interface Recorded {
  runs: RunRow[];
  headroom: Headroom | undefined;
  /** The outside sources that another one has taken over from. */
  retired: SourceRetirement[];
}

async function readRecord({ id: definitionId, order }: OwnSchedule, { settings, output }: Session): Promise<Recorded> {
  try {
    return await withHistory(settings, async (pool) => ({
      runs: await listRuns(pool, { definitionId, limit: shownRuns }),
      headroom: await readHeadroom(pool, definitionId, order.budget.maxSeconds * 1_000),
      retired: (await listSourceRetirements(pool, order.definition.uuid)).filter(
        ({ revertedAt }) => revertedAt === null,
      ),
    }));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    output.note(`runs are not shown: ${error.message}`);
    return { runs: [], headroom: undefined, retired: [] };
  }
}

function formatHeadroom(headroom: Headroom | undefined, colors: Colors): string {
  if (headroom === undefined) return '';
  const { runs, p95Ms, budgetMs, usedPercent, isTight } = headroom;
  const text = `p95 ${formatMs(p95Ms)} of ${budgetMs / 1_000} s (${usedPercent} %) over ${runs} run${runs === 1 ? '' : 's'}`;
  return isTight ? colors.yellow(`${text}: little is left of the budget`) : text;
}

function formatSchedule(
  { id, order, paused, note, nextTicks, running }: OwnSchedule,
  { headroom, retired }: Recorded,
  { colors }: Output,
): string {
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
    ['headroom', formatHeadroom(headroom, colors)],
    ['retired', retired.map(({ source, retiredAt }) => `${source}, since ${retiredAt}`).join('; ')],
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
