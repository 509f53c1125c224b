import type { describeComparison } from '../cli/comparison-json.ts';
import { ownSource } from '../workflows/contract.ts';
import type { TickAccount } from './account.ts';
import { listRows } from './rows.ts';
import { isWithin } from './span.ts';
import type { Span } from './span.ts';
import type { Stage } from './stage.ts';
import type { Call } from './target.ts';
import type { TimerJob } from './timer-process.ts';

/** What `actcore compare --json` prints. */
export type ToldComparison = ReturnType<typeof describeComparison>;

/** The ticks of an outside source: its rows, and what it did at the target. */
export async function takeOutsideAccount(
  { history }: Stage,
  { id, source, everyMs }: TimerJob,
  span: Span,
  calls: Call[],
): Promise<TickAccount> {
  const rows = await listRows(history, id, span, source);
  const rowOf = new Map(rows.map((row) => [row.tickMs, row]));
  const own = calls.filter((call) => call.source === source && isWithin(call.tickMs, span));
  const outcomes: Record<string, number> = {};
  for (const { outcome } of rows) outcomes[outcome ?? 'running'] = (outcomes[outcome ?? 'running'] ?? 0) + 1;
  return {
    definition: `${id} of ${source}`,
    expected: Math.round((span.toMs - span.fromMs) / everyMs),
    rows: rows.length,
    duplicates: rows.length - rowOf.size,
    extraRuns: own.length - new Set(own.map(({ tickMs }) => tickMs)).size,
    lost: own.filter((call) => rowOf.get(call.tickMs)?.outcome !== tellOutcome(call)).length,
    unheard: 0,
    outcomes,
    latenessMs: rows.filter(({ standing }) => standing > 0).map(({ startedMs, tickMs }) => startedMs - tickMs),
    complaints: [],
  };
}

/** What a comparison has to say of a span, from what the target saw. */
export interface Witness {
  job: TimerJob;
  span: Span;
  calls: Call[];
  /** When our worker was away: they may disagree then, and have to. */
  away: Span;
}

/** Whether a comparison accounts for every tick of both sources, and says the same as the target; what is off. */
export function judgeComparison(told: ToldComparison, witness: Witness): string[] {
  const { span, job } = witness;
  const ticks = Math.round((span.toMs - span.fromMs) / job.everyMs);
  const [pair] = told.pairs;
  if (pair === undefined) return ['compare has no pair of sources'];
  return [
    ...(told.addsUp ? [] : ['compare says that the account does not add up']),
    ...told.sources.flatMap((figures) => judgeFigures(figures, ticks)),
    ...(pair.instants.length === ticks ? [] : [`compare shows ${pair.instants.length} instants of ${ticks} ticks`]),
    ...(pair.doubles.length === 0 ? [] : [`compare finds ${pair.doubles.length} double executions under a lock`]),
    ...pair.instants.flatMap((instant) => judgeInstant(instant, witness)),
    ...(pair.judged > pair.agreeing ? [] : ['compare finds no disagreement, and our worker was away']),
    ...((pair.agreements.lock_held ?? 0) > 0 ? [] : ['compare takes no lock skip for agreement']),
  ];
}

function judgeFigures({ source, states, ...figures }: ToldComparison['sources'][number], ticks: number): string[] {
  const told = Object.values(states).reduce((sum, count) => sum + count, 0);
  const { expected, unexpected, pending } = figures;
  const isWhole = expected === ticks && told === ticks && unexpected === 0 && pending === 0;
  const unknown = (states.unaccounted ?? 0) + (states.running ?? 0);
  return [
    ...(isWhole ? [] : [`compare has ${expected} ticks and ${told} ends of ${source}, of ${ticks} ticks`]),
    ...(unknown === 0 ? [] : [`compare does not know what became of ${unknown} ticks of ${source}`]),
  ];
}

type ToldInstant = ToldComparison['pairs'][number]['instants'][number];

function judgeInstant({ at, verdict, ticks }: ToldInstant, { calls, away, job }: Witness): string[] {
  const atMs = Date.parse(at);
  const isAway = isWithin(atMs, { fromMs: away.fromMs - job.everyMs, toMs: away.toMs + job.everyMs });
  const ofTick = calls.filter(({ tickMs }) => tickMs === atMs);
  const workers = ofTick.filter(({ isTurnedAway }) => !isTurnedAway).map(({ source }) => source);
  const states = Object.entries(ticks).flatMap(([source, tick]) => {
    const call = ofTick.find((one) => one.source === source);
    const seen = call === undefined ? undefined : tellOutcome(call);
    // A worker that is killed hears no answer, and one that is away asks for none.
    const isRight = seen === undefined || (isAway && source === ownSource) ? isAway : tick?.state === seen;
    return isRight ? [] : [`of ${source} compare says ${tick?.state ?? 'nothing'}, the target ${seen ?? 'nothing'}`];
  });
  const isExcused = verdict.kind === 'disagree' ? isAway : verdict.kind === 'agree';
  const isWinner = !('winner' in verdict) || verdict.winner === undefined || workers.includes(verdict.winner);
  return [
    ...states,
    ...(isExcused ? [] : [`compare says ${JSON.stringify(verdict)} while nothing was wrong`]),
    ...(isWinner ? [] : [`compare names another holder of the lock than ${workers.join(', ')}`]),
  ].map((text) => `${at}: ${text}`);
}

function tellOutcome({ isTurnedAway, isAnswered }: Call): 'completed' | 'lock_skipped' | undefined {
  if (isTurnedAway) return 'lock_skipped';
  return isAnswered ? 'completed' : undefined;
}
