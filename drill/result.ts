import type { TickAccount } from './account.ts';

/** The memory of the workers of a scenario. */
export interface MemoryUse {
  beforeBytes: number;
  afterBytes: number;
  peakBytes: number;
}

/** How a scenario went. */
export interface Result {
  scenario: string;
  accounts: TickAccount[];
  memory: MemoryUse;
  /** What else is worth knowing. */
  notes: string[];
  /** What is off beside the figures: it fails the drill. */
  faults: string[];
  tookMs: number;
}

/** Workers of Node grow until they have seen everything once; beyond this it is a leak. */
const growthLimitBytes = 64 * 1_048_576;
/** Far below the 200 MB that a target may send. */
const peakLimitBytes = 128 * 1_048_576;

/** The figures of a scenario over all of its definitions. */
export function addUp(accounts: TickAccount[]): Omit<TickAccount, 'definition' | 'complaints'> {
  const sum = (read: (account: TickAccount) => number) => accounts.reduce((total, one) => total + read(one), 0);
  const outcomes: Record<string, number> = {};
  for (const account of accounts) {
    for (const [outcome, count] of Object.entries(account.outcomes))
      outcomes[outcome] = (outcomes[outcome] ?? 0) + count;
  }
  return {
    expected: sum(({ expected }) => expected),
    rows: sum(({ rows }) => rows),
    duplicates: sum(({ duplicates }) => duplicates),
    extraRuns: sum(({ extraRuns }) => extraRuns),
    lost: sum(({ lost }) => lost),
    unheard: sum(({ unheard }) => unheard),
    outcomes,
    latenessMs: accounts.flatMap(({ latenessMs }) => latenessMs),
  };
}

/** All that is off in a scenario, as sentences; none where every promise was kept. */
export function findFaults({ accounts, memory, faults }: Result): string[] {
  const growthBytes = memory.afterBytes - memory.beforeBytes;
  const peakBytes = memory.peakBytes - memory.beforeBytes;
  return [
    ...accounts.flatMap(judgeAccount),
    ...(growthBytes > growthLimitBytes ? [`memory grew by ${toMegabytes(growthBytes)} MB`] : []),
    ...(peakBytes > peakLimitBytes ? [`memory rose by ${toMegabytes(peakBytes)} MB in between`] : []),
    ...faults,
  ];
}

function judgeAccount(account: TickAccount): string[] {
  const { definition, expected, rows, duplicates, extraRuns, lost, complaints } = account;
  const off = [
    ...(expected === 0 ? ['no tick fell into the span'] : []),
    ...(rows === expected ? [] : [`${rows} rows for ${expected} ticks`]),
    ...(duplicates === 0 ? [] : [`${duplicates} duplicates`]),
    ...(extraRuns === 0 ? [] : [`${extraRuns} extra runs`]),
    ...(lost === 0 ? [] : [`${lost} lost outcomes`]),
    ...((account.outcomes['running'] ?? 0) === 0 ? [] : ['rows that have not ended']),
    ...complaints,
  ];
  return off.map((text) => `${definition}: ${text}`);
}

export function toMegabytes(bytes: number): number {
  return Math.round(bytes / 1_048_576);
}

/** The least value that so large a part of the values is not above; NaN of none. */
export function quantile(values: number[], part: number): number {
  const sorted = values.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.ceil(part * sorted.length) - 1)] ?? Number.NaN;
}
