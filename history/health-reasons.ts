import type { RetiredReport } from './health-facts.ts';

const iso = (time: string) => `${time.slice(0, 19).replace('T', ' ')} UTC`;
const count = (number: number, one: string, more = `${one}s`) => `${number} ${number === 1 ? one : more}`;
const minutes = (ms: number) => (ms < 7_200_000 ? `${Math.floor(ms / 60_000)} min` : `${Math.floor(ms / 3_600_000)} h`);

/** What health says of each thing that is wrong. */
export const healthReasons = {
  noReconciler: (id: string) => `nobody accounts for ticks that never ran: apply ${id}`,
  silentReconciler: (silentMs: number, lastLook: string | undefined) =>
    lastLook === undefined
      ? `it has not looked at the schedules since it was applied ${minutes(silentMs)} ago`
      : `it has not looked at the schedules for ${minutes(silentMs)}`,
  retiredSource: ({ source, reports, lastAt, retiredAt, retiredBy }: RetiredReport) =>
    `${source} has fired ${count(reports, 'time')}, the last at ${iso(lastAt)}; ` +
    (retiredAt === null ? 'it was retired then' : `${retiredBy} retired it at ${iso(retiredAt)}`),
  noSchedule: 'it was applied, and the server has no schedule of this id',
  drift: (first: string, fields: number) =>
    `changed on the server: ${first}${fields === 1 ? '' : `, and ${fields - 1} more`}`,
  failing: (errors: number, lastReason: string) => `${count(errors, 'error')}, the last: ${lastReason}`,
  overdue: (since: string) => `no run of the tick of ${iso(since)}`,
  silent: (source: string, ticks: number, since: string) =>
    `${source} has not reported its last ${count(ticks, 'tick')}, since ${iso(since)}`,
  stuck: (runs: number, startedAt: string) =>
    `${count(runs, 'run')} beyond the hard timeout and still running, the oldest since ${iso(startedAt)}`,
  gaps: (source: string, ticks: number, period: string) =>
    `${count(ticks, 'tick')} of ${source} that nothing fired in the last ${period}`,
  unreconciled: (first: string, open: number) => `the last reconciliation left ${count(open, 'thing')} open: ${first}`,
  quarantined: (findings: number) => `${count(findings, 'finding')} in quarantine: the remedy fails again and again`,
  headroom: (usedPercent: number, runs: number) =>
    `p95 of the last ${count(runs, 'run')} takes ${usedPercent} % of the budget`,
  tooShort: (runs: number) => `${count(runs, 'run')} completed sooner than min_duration believes possible`,
  tooLong: (oldestMonth: string, keepMonths: number) =>
    `it goes back to ${oldestMonth.slice(0, 7)}, and ${count(keepMonths, 'month')} are to be kept`,
} as const;
