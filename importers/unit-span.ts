const unitMs: ReadonlyMap<string, number> = new Map(
  Object.entries({
    ...{ us: 0.001, usec: 0.001, µs: 0.001, ms: 1, msec: 1 },
    ...{ s: 1_000, sec: 1_000, second: 1_000, seconds: 1_000 },
    ...{ m: 60_000, min: 60_000, minute: 60_000, minutes: 60_000 },
    ...{ h: 3_600_000, hr: 3_600_000, hour: 3_600_000, hours: 3_600_000 },
    ...{ d: 86_400_000, day: 86_400_000, days: 86_400_000 },
    ...{ w: 604_800_000, week: 604_800_000, weeks: 604_800_000 },
    ...{ M: 2_629_800_000, month: 2_629_800_000, months: 2_629_800_000 },
    ...{ y: 31_557_600_000, year: 31_557_600_000, years: 31_557_600_000 },
  }),
);

/** Reads a time span of systemd.time(7) such as `1h 30min`, `90` (seconds) or `infinity`, into milliseconds. */
export function readUnitSpan(text: string): number | undefined {
  if (text === 'infinity') return Infinity;
  let ms = 0;
  let at = 0;
  for (const match of text.matchAll(/\s*(\d+(?:\.\d+)?)\s*([A-Za-zµ]*)\s*/gy)) {
    const unit = match[2] === '' ? 1_000 : unitMs.get(match[2] ?? '');
    if (unit === undefined) return undefined;
    ms += Number(match[1]) * unit;
    at += match[0].length;
  }
  return at === text.length && at > 0 ? Math.round(ms) : undefined;
}
