import { offsetAt as readOffset } from './zone-offset.ts';

/** A wall clock's reading; month and day count from 1. `repeatMs` is an hour in the second of two hours of one name. */
export interface Clock {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  repeatMs: number;
}

/** The clocks of one time zone. */
export interface Zone {
  /** Local time minus UTC, in milliseconds. */
  offsetAt(instantMs: number): number;
  /** What the clocks show, to the second. */
  readClock(instantMs: number): Clock;
  /** The instant of a reading. One that is skipped or repeated is resolved as the server does it. */
  instantOf(clock: Omit<Clock, 'repeatMs'>): number;
  /** The instant of a reading as people mean it: of a repeated one the first, for a skipped one the moment of the skip. */
  firstInstantOf(clock: Omit<Clock, 'repeatMs'>): number;
}

/** No zone has changed its offset between two of these since 1973, and asking for one takes microseconds. */
const offsetHoldsMs = 900_000;
const hourMs = 3_600_000;
/** No clock change moves more than this, but for days that Pacific islands left out. */
const widestChangeMs = 3 * hourMs;

/** Opens a zone; the name has been checked before. */
export function openZone(timezone: string): Zone {
  const offsets = new Map<number, number>();
  const offsetAt = (instantMs: number) => {
    const period = Math.floor(instantMs / offsetHoldsMs);
    const known = offsets.get(period);
    if (known !== undefined) return known;
    const offsetMs = readOffset(timezone, period * offsetHoldsMs);
    offsets.set(period, offsetMs);
    return offsetMs;
  };
  const instantOf: Zone['instantOf'] = ({ year, month, day, hour, minute, second }) => {
    const local = Date.UTC(year, month - 1, day, hour, minute, second);
    return local - offsetAt(local - offsetAt(local));
  };
  const showAt = (instantMs: number) => new Date(instantMs + offsetAt(instantMs));
  return {
    offsetAt,
    readClock(instantMs) {
      const local = showAt(instantMs);
      const hour = local.getUTCHours();
      return {
        year: local.getUTCFullYear(),
        month: local.getUTCMonth() + 1,
        day: local.getUTCDate(),
        hour,
        minute: local.getUTCMinutes(),
        second: local.getUTCSeconds(),
        repeatMs: showAt(instantMs - hourMs).getUTCHours() === hour ? hourMs : 0,
      };
    },
    instantOf,
    firstInstantOf(clock) {
      const instant = instantOf(clock);
      const wanted = instant + offsetAt(instant);
      const local = Date.UTC(clock.year, clock.month - 1, clock.day, clock.hour, clock.minute, clock.second);
      const first = Math.floor(instant / offsetHoldsMs) * offsetHoldsMs - widestChangeMs;
      for (let time = first; time <= instant + widestChangeMs; time += offsetHoldsMs) {
        const change = offsetAt(time) - offsetAt(time - offsetHoldsMs);
        if (change > 0 && wanted !== local) return time;
        // The clocks were turned back at this time: before it they showed the same with the offset of then.
        const earlier = local - offsetAt(time - offsetHoldsMs);
        if (change < 0 && earlier < time && earlier >= time + change) return earlier;
      }
      return instant;
    },
  };
}
