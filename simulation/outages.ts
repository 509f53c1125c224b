/** Who is away in an outage. */
export type OutageOf = 'server' | 'worker';

/** A span in which one of them is away: from an instant on and before another, in epoch milliseconds. */
export interface Outage {
  of: OutageOf;
  fromMs: number;
  toMs: number;
}

/** Outages in order of time; those of one kind that touch are one. */
export function mergeOutages(outages: readonly Outage[]): Outage[] {
  const merged: Outage[] = [];
  for (const outage of [...outages].sort((left, right) => left.fromMs - right.fromMs)) {
    const earlier = merged.find(({ of, toMs }) => of === outage.of && toMs >= outage.fromMs);
    if (earlier === undefined) merged.push({ ...outage });
    else earlier.toMs = Math.max(earlier.toMs, outage.toMs);
  }
  return merged;
}

/** The outage of this kind at an instant. `outages` are merged. */
export function findOutage(outages: readonly Outage[], of: OutageOf, instantMs: number): Outage | undefined {
  return outages.find((outage) => outage.of === of && outage.fromMs <= instantMs && instantMs < outage.toMs);
}

/** The first outage of this kind that begins within a span, and not at its start. */
export function findInterruption(
  outages: readonly Outage[],
  of: OutageOf,
  fromMs: number,
  toMs: number,
): Outage | undefined {
  return outages.find((outage) => outage.of === of && outage.fromMs > fromMs && outage.fromMs < toMs);
}

/** The first instant, from this one on, at which none of these is away. */
export function awaitPresence(outages: readonly Outage[], kinds: readonly OutageOf[], instantMs: number): number {
  const away = kinds.map((of) => findOutage(outages, of, instantMs)).find((outage) => outage !== undefined);
  return away === undefined ? instantMs : awaitPresence(outages, kinds, away.toMs);
}
