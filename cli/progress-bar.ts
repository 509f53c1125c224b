import { drawBar } from './bar.ts';
import type { Output } from './output.ts';

const barColumns = 24;
/** An estimate from less than this jumps about. */
const firstEstimateMs = 2_000;
const redrawMs = 80;

/** Draws, on a terminal only, how far a long work is; call what it returns at each step. */
export function startProgress(output: Output, verb: string, total: number, now = Date.now): () => void {
  const startedAt = now();
  let done = 0;
  let drawnAt = -Infinity;
  const step = () => {
    done += 1;
    const at = now();
    if (at - drawnAt < redrawMs && done < total) return;
    drawnAt = at;
    output.progress(drawProgress(verb, done, total, at - startedAt));
  };
  output.progress(drawProgress(verb, 0, total, 0));
  return step;
}

/** One line: the bar, the count, and how long it will still take. */
export function drawProgress(verb: string, done: number, total: number, elapsedMs: number): string {
  const share = total === 0 ? 1 : done / total;
  const isEstimable = elapsedMs >= firstEstimateMs && done > 0 && done < total;
  const left = isEstimable ? `, ${Math.ceil(((elapsedMs / done) * (total - done)) / 1_000)} s left` : '';
  return `${verb} ${drawBar(share, barColumns)} ${done} of ${total}${left}`;
}
