import type { DueFact, HealthFacts, ScheduleFact } from './health-facts.ts';
import { healthReasons as reasons } from './health-reasons.ts';

/** What can be wrong, the worst first. */
export const healthRules = [
  'temporal_away',
  'reconciler_silent',
  'retired_source',
  'no_schedule',
  'failing',
  'overdue',
  'silent_source',
  'stuck',
  'gaps',
  'quarantined',
  'drift',
  'headroom',
  'too_short',
  'history_too_long',
] as const;

export type HealthRule = (typeof healthRules)[number];

/** One thing that is wrong. */
export interface HealthProblem {
  rule: HealthRule;
  /** The definition, or the part of the installation. */
  subject: string;
  /** How often, or how much of it. */
  count: number;
  /** A sentence. */
  message: string;
  /** The command that shows more. */
  command: string;
}

/** So many errors of a definition in the period are more than a bad day of its target. */
const mostErrors = 3;
/** How long after its hard timeout a run may take to say that it has ended. */
const endingMs = 60_000;
/** A definition that the history does not know may take as long as any. */
const longestTimeoutMs = 86_460_000;
/** The reconciler is silent when it has missed so many of its turns, and that is at least this long. */
const missedLooks = 3;
const shortestSilenceMs = 900_000;

/** Everything that is wrong by these facts at `now`, the worst first. */
export function deriveHealth(facts: HealthFacts, now: Date): HealthProblem[] {
  const problems = [
    ...findAway(facts),
    ...findSilentReconciler(facts, now),
    ...facts.retiredReports.map(findRetired),
    ...(facts.schedules ?? []).flatMap(findScheduleProblems),
    ...findFailing(facts),
    ...facts.dues.flatMap((due) => findUnseen(due)),
    ...findStuck(facts, now),
    ...findGaps(facts),
    ...facts.quarantined.map(({ definitionId, findings }) =>
      state('quarantined', definitionId, findings, reasons.quarantined(findings), `findings ${definitionId}`),
    ),
    ...facts.headroom
      .filter(({ isTight }) => isTight)
      .map(({ definitionId, usedPercent, runs }) =>
        state('headroom', definitionId, usedPercent, reasons.headroom(usedPercent, runs), `show ${definitionId}`),
      ),
    ...facts.tooShort.map(({ definitionId, runs }) =>
      state('too_short', definitionId, runs, reasons.tooShort(runs), `runs ${definitionId}`),
    ),
    ...findLongHistory(facts, now),
  ];
  return problems.sort(
    (left, right) =>
      healthRules.indexOf(left.rule) - healthRules.indexOf(right.rule) ||
      right.count - left.count ||
      (left.subject < right.subject ? -1 : 1),
  );
}

function state(rule: HealthRule, subject: string, count: number, message: string, command: string): HealthProblem {
  return { rule, subject, count, message, command: `actcore ${command}` };
}

function findAway({ temporalFault }: HealthFacts): HealthProblem[] {
  return temporalFault === undefined ? [] : [state('temporal_away', 'temporal', 1, temporalFault, 'doctor')];
}

/** Without it nobody writes what became of ticks that never ran. There is nothing to write where nothing is expected. */
function findSilentReconciler({ reconciler, enabled }: HealthFacts, now: Date): HealthProblem[] {
  const { lastLook, appliedAt, everyMs, id } = reconciler;
  if (enabled === 0) return [];
  const since = [lastLook, appliedAt].flatMap((at) => (at === undefined ? [] : [Date.parse(at)]));
  const silentMs = now.getTime() - Math.max(...since);
  if (silentMs <= Math.max(shortestSilenceMs, missedLooks * everyMs)) return [];
  const message = since.length === 0 ? reasons.noReconciler(id) : reasons.silentReconciler(silentMs, lastLook);
  return [state('reconciler_silent', id, 1, message, since.length === 0 ? 'list' : `runs ${id}`)];
}

/** Somebody switched it off here and not where it runs: two schedulers drive one job. */
function findRetired(report: HealthFacts['retiredReports'][number]): HealthProblem {
  const { definitionId, reports } = report;
  return state(
    'retired_source',
    definitionId,
    reports,
    reasons.retiredSource(report),
    `cutover status ${definitionId}`,
  );
}

function findScheduleProblems({ definitionId, isThere, drift }: ScheduleFact): HealthProblem[] {
  if (!isThere) return [state('no_schedule', definitionId, 1, reasons.noSchedule, `history ${definitionId}`)];
  const [first] = drift;
  if (first === undefined) return [];
  return [state('drift', definitionId, drift.length, reasons.drift(first, drift.length), `show ${definitionId}`)];
}

function findFailing({ failing, period }: HealthFacts): HealthProblem[] {
  return failing
    .filter(({ errors }) => errors >= mostErrors)
    .map(({ definitionId, errors, lastReason }) =>
      state(
        'failing',
        definitionId,
        errors,
        reasons.failing(errors, lastReason),
        `errors ${definitionId} --since ${period}`,
      ),
    );
}

/** Our own schedule is overdue when one tick is, an outside source when none of the last ones was reported. */
function findUnseen({ definitionId, source, since, ticks, isOwn, isSeen, isBusy, isKnown }: DueFact): HealthProblem[] {
  if (isSeen) return [];
  const command = `audit ${definitionId}`;
  if (isOwn) return isBusy ? [] : [state('overdue', definitionId, 1, reasons.overdue(since), command)];
  return isKnown ? [state('silent_source', definitionId, ticks, reasons.silent(source, ticks, since), command)] : [];
}

function findStuck({ running }: HealthFacts, now: Date): HealthProblem[] {
  const stuck = running.filter(({ startedAt, hardTimeoutMs = longestTimeoutMs }) => {
    return now.getTime() - Date.parse(startedAt) > hardTimeoutMs + endingMs;
  });
  return [...groupBy(stuck, ({ definitionId }) => definitionId)].map(([definitionId, runs]) => {
    const [{ runId, startedAt } = { runId: '', startedAt: '' }] = runs;
    const message = reasons.stuck(runs.length, startedAt);
    return state('stuck', definitionId, runs.length, message, `run ${runId.slice(0, 8)}`);
  });
}

function findGaps({ gaps, unreconciled, period }: HealthFacts): HealthProblem[] {
  return [
    ...gaps.map(({ definitionId, source, ticks }) =>
      state(
        'gaps',
        definitionId,
        ticks,
        reasons.gaps(source, ticks, period),
        `audit ${definitionId} --since ${period}`,
      ),
    ),
    ...[...groupBy(unreconciled, ({ definitionId }) => definitionId)].map(([definitionId, open]) =>
      state(
        'gaps',
        definitionId,
        open.length,
        reasons.unreconciled(open[0]?.message ?? '', open.length),
        `audit ${definitionId}`,
      ),
    ),
  ];
}

/** A month may be a whole one older than it has to be: runs of the retention are hours apart. */
function findLongHistory({ history, retention }: HealthFacts, now: Date): HealthProblem[] {
  const { oldestMonth } = history;
  if (oldestMonth === undefined || retention === undefined) return [];
  const { id, keepMonths } = retention;
  const limit = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - keepMonths - 1, 1));
  if (Date.parse(oldestMonth) >= limit.getTime()) return [];
  return [state('history_too_long', 'history', 1, reasons.tooLong(oldestMonth, keepMonths), `runs ${id}`)];
}

function groupBy<Item>(items: Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}
