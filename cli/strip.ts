import { stateOf } from '../comparison/tick.ts';
import type { ComparedSource, ComparedTick, TickState } from '../comparison/tick.ts';
import type { Colors } from './output.ts';

/** Also a tick that is too young to be judged. */
type CellState = TickState | 'pending';

/** How a tick is drawn: signs that can be told apart without colours. */
const signs: Record<CellState, { sign: string; color: 'green' | 'cyan' | 'red' | 'yellow' | 'dim'; name: string }> = {
  automation_error: { sign: 'E', color: 'red', name: 'automation_error' },
  timed_out: { sign: 'T', color: 'red', name: 'timed_out' },
  missed: { sign: 'x', color: 'red', name: 'missed' },
  unaccounted: { sign: '?', color: 'red', name: 'no row' },
  cancelled: { sign: 'C', color: 'yellow', name: 'cancelled' },
  misfire_skipped: { sign: 'M', color: 'yellow', name: 'misfire_skipped' },
  overlap_skipped: { sign: 'O', color: 'yellow', name: 'overlap_skipped' },
  paused: { sign: 'P', color: 'yellow', name: 'paused' },
  completed: { sign: '█', color: 'green', name: 'completed' },
  lock_skipped: { sign: '░', color: 'cyan', name: 'lock_skipped' },
  running: { sign: '>', color: 'cyan', name: 'running' },
  pending: { sign: '·', color: 'dim', name: 'too young' },
};

/** Where a cell stands for several ticks it shows the worst of them. */
const worstFirst = Object.keys(signs) as CellState[];

/** Strips of several sources, one below the other: what stands in one column was due at the same time. */
export interface Strips {
  lines: { source: string; cells: (CellState | undefined)[] }[];
  /** How many ticks a cell stands for. */
  ticksACell: number;
}

/** Cuts the ticks of several sources into at most `width` cells. */
export function cutStrips(sources: ComparedSource[], fromMs: number, toleranceMs: number, width: number): Strips {
  const all = sources
    .flatMap(({ ticks, settledMs }, line) => ticks.map((tick) => ({ tick, line, isYoung: tick.tickMs >= settledMs })))
    .filter(({ tick }) => tick.tickMs >= fromMs)
    .sort((one, other) => one.tick.tickMs - other.tick.tickMs);
  const columns: { startMs: number; cells: Map<number, CellState> }[] = [];
  for (const { tick, line, isYoung } of all) {
    const last = columns.at(-1);
    const state = cellOf(tick, isYoung);
    if (last === undefined || tick.tickMs - last.startMs > toleranceMs || last.cells.has(line)) {
      columns.push({ startMs: tick.tickMs, cells: new Map([[line, state]]) });
    } else last.cells.set(line, state);
  }
  const ticksACell = Math.max(1, Math.ceil(columns.length / Math.max(1, width)));
  const lines = sources.map(({ source }, line) => {
    const cells = Array.from({ length: Math.ceil(columns.length / ticksACell) }, (_, cell) => {
      const part = columns.slice(cell * ticksACell, (cell + 1) * ticksACell);
      const states = new Set(part.flatMap(({ cells: ofColumn }) => ofColumn.get(line) ?? []));
      return worstFirst.find((state) => states.has(state));
    });
    return { source, cells };
  });
  return { lines, ticksACell };
}

function cellOf(tick: ComparedTick, isYoung: boolean): CellState {
  return isYoung && tick.run?.outcome === undefined ? 'pending' : stateOf(tick);
}

/** The strips under each other, with what their signs mean. */
export function formatStrips({ lines, ticksACell }: Strips, colors: Colors): string {
  const indent = Math.max(...lines.map(({ source }) => source.length));
  const paint = (state: CellState | undefined) =>
    state === undefined ? ' ' : colors[signs[state].color](signs[state].sign);
  const drawn = lines.map(({ source, cells }) => `${source.padEnd(indent)}  ${cells.map(paint).join('')}`.trimEnd());
  const shown = new Set(lines.flatMap(({ cells }) => cells));
  const legend = worstFirst.filter((state) => shown.has(state)).toReversed();
  const meanings = legend.map((state) => `${paint(state)} ${signs[state].name}`).join('   ');
  const scale = ticksACell === 1 ? 'a sign for each tick' : `a sign for ${ticksACell} ticks, the worst of them`;
  return [...drawn, `${' '.repeat(indent)}  ${meanings}   ${colors.dim(`(${scale})`)}`].join('\n');
}
