import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { compareSources } from '../../comparison/compare.ts';
import { defaultSettleMs } from '../../reconcile/pass.ts';
import type { SourceSurvey, SurveyedSource } from '../../reconcile/source-ticks.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import { describeComparison } from '../comparison-json.ts';
import { formatComparison } from '../comparison-output.ts';
import { withHistory } from '../history-service.ts';
import { Refusal } from '../refusal.ts';
import { parseSince } from '../since.ts';
import { requireSource, requireSurvey } from '../source-survey.ts';
import { parseSpan } from '../span.ts';
import { withTemporal } from '../temporal-service.ts';

interface CompareOptions extends CommonOptions {
  since?: Date;
  until?: Date;
  sources?: string[];
  settle: number;
}

const defaultSpanMs = 72 * 3_600_000;

export function addCompare(program: Command, signal: AbortSignal): void {
  const command = program
    .command('compare')
    .summary('hold the sources of a definition against each other')
    .description(
      'Hold what the sources of a definition did against each other, tick by tick: how often each did the work, where they ' +
        'agree, and every tick in which they do not. It tells and does not judge: it exits with 0; actcore cutover check judges.',
    )
    .argument('<id>', 'id of the definition')
    .option('--since <span|time>', 'ticks since then: 90m, 72h, 7d, or an ISO time; 72h when left out', (text) =>
      parseSince(text),
    )
    .option('--until <span|time>', 'ticks before then; until now when left out', (text) => parseSince(text))
    .option('--sources <names>', 'only these, separated by commas', parseNames)
    .option('--settle <span>', 'how old a tick must be to be judged', parseSpan, defaultSettleMs);
  command.options.find(({ long }) => long === '--settle')?.default(defaultSettleMs, '1m');
  handle<CompareOptions>(withJson(command), signal, async (session, options, [id = '']) =>
    compare(session, id, options),
  );
}

async function compare(session: Session, id: string, { since, until, sources: names, settle }: CompareOptions) {
  const now = new Date();
  const from = since ?? new Date((until ?? now).getTime() - defaultSpanMs);
  if (from >= now) throw new Refusal('--since lies in the future', 'There are no ticks to compare yet.');
  if (until !== undefined && until <= from) throw new Refusal('--until is not after --since', 'Nothing lies between.');
  const survey = await withTemporal(session.settings, (client) =>
    withHistory(session.settings, (pool) => requireSurvey(session, client, pool, { id, from, now, settleMs: settle })),
  );
  const chosen = cutAt(survey, names, until?.getTime() ?? Infinity);
  const comparison = compareSources(chosen.sources, from.getTime(), survey.cutover.toleranceMs);
  session.output.data(describeComparison(chosen, comparison));
  session.output.line(formatComparison(chosen, comparison, session.output));
  if (chosen.sources.length === 1) {
    session.output.note(`${id} has one source only; others stand under sources: in its definition`);
  }
}

/** The sources that are asked for, with their ticks before the end of the span. */
function cutAt(survey: SourceSurvey, names: string[] | undefined, untilMs: number): SourceSurvey {
  const sources = names?.map((name) => requireSource(survey, name)) ?? survey.sources;
  const cut = (one: SurveyedSource): SurveyedSource => ({
    ...one,
    ticks: one.ticks.filter(({ tickMs }) => tickMs < untilMs),
    settledMs: Math.min(one.settledMs, untilMs),
  });
  return { ...survey, sources: sources.map(cut) };
}

function parseNames(text: string): string[] {
  const names = [...new Set(text.split(',').map((name) => name.trim()))];
  if (names.includes('')) throw new InvalidArgumentError('Expected names such as activity-core,local-timer.');
  return names;
}
