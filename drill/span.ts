/** A stretch of time that holds a whole number of periods, so that the number of its ticks is known without asking anybody. */
export interface Span {
  fromMs: number;
  toMs: number;
}

/** Whether a moment lies in it; its end does not. */
export function isWithin(atMs: number, { fromMs, toMs }: Span): boolean {
  return atMs >= fromMs && atMs < toMs;
}
