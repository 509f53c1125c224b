/** Inclusive numbers `start, start + step, ... <= end`; the shape Temporal's calendars are made of. */
export interface CalendarRange {
  start: number;
  end: number;
  step: number;
}

/** One set of local wall-clock times: a time matches when every field does. dayOfWeek counts from Sunday = 0. */
export interface Calendar {
  second: CalendarRange[];
  minute: CalendarRange[];
  hour: CalendarRange[];
  dayOfMonth: CalendarRange[];
  month: CalendarRange[];
  dayOfWeek: CalendarRange[];
  /** Any year when absent; only a single date that is skipped names one. */
  year?: CalendarRange[];
}

/** When an activity fires: the union of its calendars (in `timezone`) and intervals, without what `skip` matches. */
export interface Cadence {
  timezone: string;
  calendars: Calendar[];
  /** Fires when (Unix time - offset) is a multiple of every; both in milliseconds, whole seconds. */
  intervals: { everyMs: number; offsetMs: number }[];
  skip: Calendar[];
  /** Random delay of up to this many milliseconds that the server adds to each start. */
  jitterMs: number;
  /** ISO instants; no firing before or after. */
  startAt?: string;
  endAt?: string;
}
