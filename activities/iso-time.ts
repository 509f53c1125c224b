let last = { at: Number.NaN, text: '' };

/** A time as ISO in UTC. Those of a fan-out fall on few different milliseconds, and each is written once. */
export function writeTime(time: Date): string {
  const at = time.getTime();
  if (last.at !== at) last = { at, text: time.toISOString() };
  return last.text;
}
