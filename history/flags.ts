/** What can be odd about the report of an outside runner; the names stand in the database. */
export type Flag = keyof typeof flagMeanings;

/** What each flag means to the operator who reads it in a row. */
export const flagMeanings = {
  between_ticks: 'no tick of its source is near its start',
  clock_off: "the reporter's clock differs from the database's by more than 30 s, and its times were set right by that",
  late: 'it began later than the tolerance after its tick',
  out_of_order: 'a later tick of its source had been reported before',
  repeated: 'the tick was run more than once: the row is of the one that ended first',
  retired_source: 'another source has taken over from this one, which is not to fire any more',
  spooled: 'the history was away, and it was reported afterwards',
} as const;

/** SQL for the union of arrays of flags with those of the row `run`, sorted. */
export function joinFlags(...arrays: string[]): string {
  return `ARRAY(SELECT DISTINCT flag FROM unnest(${['run.flags', ...arrays].join(' || ')}) AS flag ORDER BY flag)`;
}
