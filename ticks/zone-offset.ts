const formats = new Map<string, Intl.DateTimeFormat>();

/** Whether the runtime knows a time zone of this name, in whatever case. */
export function isZone(name: string): boolean {
  return name === 'UTC' || openFormat(name) !== undefined;
}

/** Local time minus UTC at an instant, in milliseconds; 0 for a zone that is not known. */
export function offsetAt(timezone: string, instantMs: number): number {
  const format = timezone === 'UTC' ? undefined : openFormat(timezone);
  return format === undefined ? 0 : readOffset(format, instantMs);
}

function openFormat(name: string): Intl.DateTimeFormat | undefined {
  const open = formats.get(name);
  if (open) return open;
  try {
    const numeric = 'numeric';
    const fields = {
      year: numeric,
      month: numeric,
      day: numeric,
      hour: numeric,
      minute: numeric,
      second: numeric,
    } as const;
    const format = new Intl.DateTimeFormat('en-US', { ...fields, timeZone: name, hourCycle: 'h23', era: 'short' });
    formats.set(name, format);
    return format;
  } catch {
    return undefined;
  }
}

function readOffset(format: Intl.DateTimeFormat, instantMs: number): number {
  const parts = new Map(format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]));
  const read = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
  const local = Date.UTC(read('year'), read('month') - 1, read('day'), read('hour'), read('minute'), read('second'));
  return local - instantMs;
}
