import { chooseColors } from '../cli/output.ts';
import { formatTable } from '../cli/table.ts';
import { formatElapsed } from '../dev/progress.ts';
import { addUp, findFaults, quantile, toMegabytes } from './result.ts';
import type { Result } from './result.ts';

const head = [
  ...['SCENARIO', '', 'TICKS', 'ROWS/TICKS', 'DUPLICATES', 'EXTRA RUNS', 'LOST', 'WORKER MB', 'TOOK', 'OUTCOMES'],
];

/** The table, and under it what is off. */
export function formatReport(results: Result[]): string {
  const colors = chooseColors(process.stdout);
  const rows = results.map((result) => {
    const { expected, rows: found, duplicates, extraRuns, lost, outcomes } = addUp(result.accounts);
    const isGood = findFaults(result).length === 0;
    const { beforeBytes, afterBytes, peakBytes } = result.memory;
    const counted = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
    return [
      ...[result.scenario, isGood ? colors.green('ok') : colors.red('OFF')],
      ...[String(expected), expected === 0 ? '-' : (found / expected).toFixed(3)],
      ...[duplicates, extraRuns, lost].map(String),
      `${toMegabytes(beforeBytes)} > ${toMegabytes(afterBytes)} (${toMegabytes(peakBytes)})`,
      ...[formatElapsed(result.tookMs), counted.join(', ')],
    ];
  });
  const notes = results.flatMap((result) => describeNotes(result).map((note) => `${result.scenario}: ${note}`));
  const faults = results.flatMap((result) =>
    findFaults(result).map((fault) => colors.red(`${result.scenario}: ${fault}`)),
  );
  const table = formatTable(head, rows, { colors, columns: process.stdout.columns });
  return [table, ...(notes.length > 0 ? ['', ...notes] : []), ...(faults.length > 0 ? ['', ...faults] : [])].join('\n');
}

/** The same as data. */
export function describeReport(results: Result[]) {
  return {
    ok: results.every((result) => findFaults(result).length === 0),
    scenarios: results.map((result) => ({
      ...result,
      accounts: result.accounts.map(({ latenessMs, ...account }) => ({
        ...account,
        latenessMs: { p50: round(quantile(latenessMs, 0.5)), p99: round(quantile(latenessMs, 0.99)) },
      })),
      faults: findFaults(result),
    })),
  };
}

function describeNotes({ accounts, notes }: Result): string[] {
  const { unheard } = addUp(accounts);
  return [
    ...notes,
    ...(unheard === 0 ? [] : [`${unheard} answers reached no worker: their rows do not say completed`]),
  ];
}

/** Null where there is nothing to take it of. */
function round(value: number): number | null {
  return Number.isNaN(value) ? null : Math.round(value);
}
