import { describe, expect, it } from 'vitest';
import { deriveHealth } from '../../history/health.ts';
import type { DueFact, HealthFacts } from '../../history/health-facts.ts';

const now = new Date('2026-11-21T12:00:00.000Z');
const ago = (ms: number) => new Date(now.getTime() - ms).toISOString();
const minute = 60_000;

/** Facts of an installation in which nothing is wrong. */
const good: HealthFacts = {
  ...{ period: '60m', enabled: 3, schedules: [{ definitionId: 'a', isThere: true, drift: [] }] },
  ...{
    retiredReports: [],
    failing: [],
    dues: [],
    running: [],
    gaps: [],
    unreconciled: [],
    quarantined: [],
    headroom: [],
    tooShort: [],
  },
  reconciler: {
    id: 'actcore.reconcile-ticks',
    lastLook: ago(5 * minute),
    appliedAt: ago(86_400_000),
    everyMs: 5 * minute,
  },
  history: { sizeBytes: 1, oldestMonth: '2025-10-01' },
  retention: { id: 'actcore.retention', keepMonths: 13 },
};
const derive = (changes: Partial<HealthFacts>) =>
  deriveHealth({ ...good, ...changes }, now).map(({ rule, subject, count, command }) => [
    rule,
    subject,
    count,
    command,
  ]);

const due = (changes: Partial<DueFact>): DueFact => ({
  ...{ definitionId: 'a', source: 'activity-core', since: ago(5 * minute), ticks: 1, isOwn: true, timeoutMs: 1 },
  ...{ isSeen: false, isBusy: false, isKnown: false, ...changes },
});
const headroom = (usedPercent: number) => ({
  ...{ definitionId: 'a', runs: 100, p95Ms: usedPercent, budgetMs: 100, usedPercent, isTight: usedPercent >= 80 },
});

const retired = {
  ...{ definitionId: 'a', source: 'local-timer', reports: 2, lastAt: ago(minute) },
  ...{ retiredAt: ago(86_400_000), retiredBy: 'somebody' },
};

it('a retired source is named with who retired it and when, also when it may fire again by now', () => {
  const messages = [retired, { ...retired, reports: 1, retiredAt: null, retiredBy: null }].map(
    (report) => deriveHealth({ ...good, retiredReports: [report] }, now)[0]?.message,
  );
  expect(messages).toEqual([
    'local-timer has fired 2 times, the last at 2026-11-21 11:59:00 UTC; somebody retired it at 2026-11-20 12:00:00 UTC',
    'local-timer has fired 1 time, the last at 2026-11-21 11:59:00 UTC; it was retired then',
  ]);
});

it('nothing is broken where nothing is', () => {
  expect(deriveHealth(good, now)).toEqual([]);
});

const cases: [string, Partial<HealthFacts>, unknown[][]][] = [
  ['two errors', { failing: [{ definitionId: 'a', errors: 2, lastReason: 'x' }] }, []],
  [
    'three errors',
    { failing: [{ definitionId: 'a', errors: 3, lastReason: 'x' }] },
    [['failing', 'a', 3, 'actcore errors a --since 60m']],
  ],
  ['a tick that is due and has its row', { dues: [due({ isSeen: true })] }, []],
  ['a tick that is due while an earlier run goes', { dues: [due({ isBusy: true })] }, []],
  ['a tick that is due and has no row', { dues: [due({})] }, [['overdue', 'a', 1, 'actcore audit a']]],
  ['an outside source that never reported', { dues: [due({ isOwn: false, source: 'cron', ticks: 3 })] }, []],
  [
    'an outside source that does not report any more',
    { dues: [due({ isOwn: false, source: 'cron', ticks: 3, isKnown: true })] },
    [['silent_source', 'a', 3, 'actcore audit a']],
  ],
  [
    'a run at its hard timeout and the minute that it may take to end',
    { running: [{ definitionId: 'a', runId: '0123456789', startedAt: ago(2 * minute), hardTimeoutMs: minute }] },
    [],
  ],
  [
    'a run beyond it',
    { running: [{ definitionId: 'a', runId: '0123456789', startedAt: ago(2 * minute + 1), hardTimeoutMs: minute }] },
    [['stuck', 'a', 1, 'actcore run 01234567']],
  ],
  [
    'a run of a definition that nobody knows, within a day',
    { running: [{ definitionId: 'a', runId: '0', startedAt: ago(86_400_000) }] },
    [],
  ],
  [
    'one beyond it',
    { running: [{ definitionId: 'a', runId: '0', startedAt: ago(86_400_000 + 2 * minute + 1) }] },
    [['stuck', 'a', 1, 'actcore run 0']],
  ],
  [
    'a finding in quarantine',
    { quarantined: [{ definitionId: 'a', findings: 2 }] },
    [['quarantined', 'a', 2, 'actcore findings a']],
  ],
  ['79 % of the budget', { headroom: [headroom(79)] }, []],
  ['80 % of the budget', { headroom: [headroom(80)] }, [['headroom', 'a', 80, 'actcore show a']]],
  [
    'a run that was too short',
    { tooShort: [{ definitionId: 'a', runs: 1 }] },
    [['too_short', 'a', 1, 'actcore runs a']],
  ],
  [
    'a retired source that fires again',
    { retiredReports: [retired], failing: [{ definitionId: 'b', errors: 9, lastReason: 'x' }] },
    [
      ['retired_source', 'a', 2, 'actcore cutover status a'],
      ['failing', 'b', 9, 'actcore errors b --since 60m'],
    ],
  ],
  [
    'ticks that nothing fired',
    { gaps: [{ definitionId: 'a', source: 'cron', ticks: 4 }] },
    [['gaps', 'a', 4, 'actcore audit a --since 60m']],
  ],
  [
    'what a reconciliation left open',
    {
      unreconciled: [
        { definitionId: 'a', message: 'x' },
        { definitionId: 'a', message: 'y' },
      ],
    },
    [['gaps', 'a', 2, 'actcore audit a']],
  ],
  [
    'a drift',
    { schedules: [{ definitionId: 'a', isThere: true, drift: ['x', 'y'] }] },
    [['drift', 'a', 2, 'actcore show a']],
  ],
  [
    'a schedule that is gone',
    { schedules: [{ definitionId: 'a', isThere: false, drift: [] }] },
    [['no_schedule', 'a', 1, 'actcore history a']],
  ],
  [
    'Temporal that is away',
    { temporalFault: 'Temporal does not answer' },
    [['temporal_away', 'temporal', 1, 'actcore doctor']],
  ],
  ['a month more than is to be kept', { history: { sizeBytes: 1, oldestMonth: '2025-09-01' } }, []],
  [
    'two months more',
    { history: { sizeBytes: 1, oldestMonth: '2025-08-01' } },
    [['history_too_long', 'history', 1, 'actcore runs actcore.retention']],
  ],
  [
    'two months more than the longest of the definitions',
    { history: { sizeBytes: 1, oldestMonth: '2025-08-01' }, retention: { id: 'r', keepMonths: 14 } },
    [],
  ],
];

it.each(cases)('%s', (_, changes, problems) => {
  expect(derive(changes)).toEqual(problems);
});

describe('a reconciler is silent', () => {
  const { reconciler } = good;
  const silent = (changes: Partial<HealthFacts['reconciler']>, enabled = 1) =>
    derive({ enabled, reconciler: { ...reconciler, ...changes } }).map(([rule]) => rule);

  it('after three of its turns, and a quarter of an hour', () => {
    expect(silent({ lastLook: ago(15 * minute) })).toEqual([]);
    expect(silent({ lastLook: ago(15 * minute + 1) })).toEqual(['reconciler_silent']);
    expect(silent({ lastLook: ago(15 * minute + 1), everyMs: 6 * minute })).toEqual([]);
    expect(silent({ lastLook: ago(14 * minute), everyMs: minute })).toEqual([]);
  });

  it('not while it was applied just now, and not where nothing is to fire', () => {
    const { lastLook: _lastLook, ...never } = reconciler;
    const silentSince = (appliedAt: string, enabled = 1) =>
      derive({ enabled, reconciler: { ...never, appliedAt } }).map(([rule]) => rule);
    expect(silentSince(ago(minute))).toEqual([]);
    expect(silentSince(ago(16 * minute))).toEqual(['reconciler_silent']);
    expect(silentSince(ago(16 * minute), 0)).toEqual([]);
  });

  it('where nobody ever applied it', () => {
    expect(derive({ reconciler: { id: 'r', everyMs: minute } })).toEqual([
      ['reconciler_silent', 'r', 1, 'actcore list'],
    ]);
  });
});

it('the worst comes first, then what is most, then by name', () => {
  const facts: Partial<HealthFacts> = {
    tooShort: [{ definitionId: 'a', runs: 9 }],
    failing: ['b', 'c', 'a'].map((definitionId) => ({
      definitionId,
      errors: definitionId === 'c' ? 9 : 3,
      lastReason: 'x',
    })),
    temporalFault: 'away',
  };
  expect(derive(facts).map(([rule, subject]) => `${String(rule)} ${String(subject)}`)).toEqual([
    ...['temporal_away temporal', 'failing c', 'failing a', 'failing b', 'too_short a'],
  ]);
});
