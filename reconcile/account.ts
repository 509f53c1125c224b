import { isTick } from '../ticks/ticks.ts';
import type { SourceRetirement } from '../history/source-retirement.ts';
import type { TickRow } from '../history/tick-rows.ts';
import { ownSource } from '../workflows/contract.ts';
import type { Order, Outcome } from '../workflows/contract.ts';
import type { Execution } from './executions.ts';
import type { Expectation, Plan } from './expected.ts';
import { compareRow, judgeSilence, nameTick } from './judge.ts';
import type { Difference, OwnFacts } from './judge.ts';

/** The three-way account of one source: it adds up when there is no difference. */
export interface SourceAccount {
  source: string;
  /** Ticks by the definition, and those beside them that have a row or an execution. */
  expected: number;
  /** Null for an outside source, of which the server knows nothing. */
  executions: number | null;
  /** Of these, the ones that are still open. */
  open: number | null;
  rows: number;
  /** The rows by outcome. */
  outcomes: Partial<Record<Outcome | 'running', number>>;
  differences: Difference[];
  /** Of an outside source that is retired: nothing is expected of it since. */
  retirement?: SourceRetirement;
}

/** Executions and rows that no tick asked for. */
export type ByHandAccount = Omit<SourceAccount, 'source' | 'expected'>;

/** The ticks that are looked at. */
export interface Span {
  fromMs: number;
  /** It is not in it. */
  toMs: number;
  /** Firings outside it that are looked at as well. */
  also?: ReadonlySet<number>;
}

/** Accounts for the ticks of our own schedule, and for what was fired by hand. */
export function accountOwn(
  facts: OwnFacts,
  plans: ReadonlyMap<string, Plan>,
  span: Span,
): { own: SourceAccount; byHand: ByHandAccount } {
  const rows = facts.rows.filter(({ source }) => source === ownSource);
  const rowOf = new Map(rows.filter(isOfTick).map((row) => [Date.parse(row.scheduledAt), row]));
  const handRows = rows.filter((row) => !isOfTick(row));
  const sorted = sortExecutions(facts, rowOf, handRows, plans, span);
  const ticks = [...new Set([...facts.expected.keys(), ...rowOf.keys(), ...sorted.ofTicks.keys()])]
    .filter((tickMs) => isInSpan(span, tickMs))
    .sort((left, right) => left - right);
  // Of a tick that no revision names any more, as of a firing by hand, any order of the definition tells enough.
  const order = [...plans.values()].at(-1)?.order;
  const own: SourceAccount = { ...openAccount(ownSource), expected: ticks.length, executions: 0, open: 0 };
  for (const tickMs of ticks) {
    const row = rowOf.get(tickMs);
    const executions = sorted.ofTicks.get(tickMs) ?? [];
    count(own, row, executions);
    const expected = facts.expected.get(tickMs);
    const isSilent = row === undefined && executions.length === 0 && expected !== undefined;
    const difference = isSilent
      ? judgeSilence(expected, facts)
      : compareRow(row, executions, facts, expected?.order ?? order);
    if (difference !== undefined) own.differences.push(difference);
  }
  return { own, byHand: accountByHand(handRows, sorted.byHand, { ...facts, order }, span) };
}

/** Which executions are of ticks, by tick, and which of firings by hand, by workflow. */
function sortExecutions(
  { expected, executions }: OwnFacts,
  rowOf: ReadonlyMap<number, TickRow>,
  handRows: TickRow[],
  plans: ReadonlyMap<string, Plan>,
  span: Span,
) {
  const known = new Set(handRows.map(({ workflowId }) => workflowId));
  const isScheduled = (tickMs: number) =>
    expected.has(tickMs) || rowOf.has(tickMs) || [...plans.values()].some(({ order }) => isTick(order.cadence, tickMs));
  const ofTicks = new Map<number, Execution[]>();
  const byHand: Execution[] = [];
  for (const execution of executions) {
    const { scheduledMs, startMs, workflowId } = execution;
    if (!isInSpan(span, scheduledMs ?? startMs)) continue;
    if (scheduledMs === undefined || known.has(workflowId) || !isScheduled(scheduledMs)) byHand.push(execution);
    else ofTicks.set(scheduledMs, [...(ofTicks.get(scheduledMs) ?? []), execution]);
  }
  return { ofTicks, byHand };
}

function accountByHand(
  rows: TickRow[],
  executions: Execution[],
  facts: OwnFacts & { order: Order | undefined },
  span: Span,
): ByHandAccount {
  const { source: _source, expected: _expected, ...account } = { ...openAccount(ownSource), executions: 0, open: 0 };
  const left = new Set(executions);
  for (const row of rows) {
    const own = executions.filter(({ workflowId }) => workflowId === row.workflowId);
    for (const execution of own) left.delete(execution);
    if (!isInSpan(span, Date.parse(row.scheduledAt))) continue;
    count(account, row, own);
    const difference = compareRow(row, own, facts, facts.order);
    if (difference !== undefined) account.differences.push(difference);
  }
  for (const execution of left) {
    count(account, undefined, [execution]);
    const difference = compareRow(undefined, [execution], facts);
    if (difference !== undefined) account.differences.push(difference);
  }
  return account;
}

/** Accounts for the ticks of an outside source; `explain` says why a tick without a report is one. */
export function accountOutside(
  source: string,
  { ticks }: Expectation,
  allRows: TickRow[],
  span: Span,
  explain: string,
): SourceAccount {
  const rows = allRows.filter((row) => row.source === source && isInSpan(span, Date.parse(row.scheduledAt)));
  const reported = new Set(rows.map(({ scheduledAt }) => Date.parse(scheduledAt)));
  const account = openAccount(source);
  account.expected = new Set([...reported, ...ticks.keys()]).size;
  for (const row of rows) count(account, row, []);
  for (const { tickMs, order } of ticks.values()) {
    if (reported.has(tickMs)) continue;
    const scheduledAt = new Date(tickMs).toISOString();
    const firing = nameTick(source, scheduledAt);
    const remedy = { kind: 'conclude', order, firing, outcome: 'missed', reason: explain } as const;
    account.differences.push({ source, scheduledAt, kind: 'no_row', known: explain, remedy });
  }
  return account;
}

function openAccount(source: string): SourceAccount {
  return { source, expected: 0, executions: null, open: null, rows: 0, outcomes: {}, differences: [] };
}

function count(account: ByHandAccount, row: TickRow | undefined, executions: Execution[]): void {
  if (row !== undefined) {
    const outcome = row.outcome ?? 'running';
    account.rows += 1;
    account.outcomes[outcome] = (account.outcomes[outcome] ?? 0) + 1;
  }
  if (account.executions === null || account.open === null) return;
  account.executions += executions.length;
  account.open += executions.filter(({ closeMs }) => closeMs === undefined).length;
}

function isInSpan({ fromMs, toMs, also }: Span, atMs: number): boolean {
  return (atMs >= fromMs && atMs < toMs) || also?.has(atMs) === true;
}

function isOfTick({ trigger }: TickRow): boolean {
  return trigger === 'schedule' || trigger === 'backfill' || trigger === 'external';
}
