import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { comparePair } from '../comparison/compare.ts';
import type { SourcePair } from '../comparison/compare.ts';
import { judgeCutover } from '../comparison/criteria.ts';
import type { Criterion } from '../comparison/criteria.ts';
import type { CutoverTerms } from '../compiler/cutover.ts';
import { formatDuration } from '../compiler/duration.ts';
import { defaultSettleMs } from '../reconcile/pass.ts';
import { findCovered, marginMs } from '../reconcile/source-ticks.ts';
import type { SourceSurvey, SurveyedSource } from '../reconcile/source-ticks.ts';
import { ownSource } from '../workflows/contract.ts';
import type { Session } from './command.ts';
import { describePair } from './comparison-json.ts';
import { compileApplied } from './latest-definition.ts';
import { Refusal } from './refusal.ts';
import { requireSource, requireSurvey } from './source-survey.ts';

/** Whose work is to go to whom. */
export interface CutoverRequest {
  id: string;
  from: string;
  to: string;
  /** Looks further back than the window of the definition. */
  since?: Date;
}

/** What a check found: the work may go over when all criteria are met. */
export interface CutoverCheck extends CutoverRequest {
  uuid: string;
  isGo: boolean;
  window: { fromMs: number; toMs: number };
  terms: CutoverTerms;
  criteria: Criterion[];
  pair: SourcePair;
}

/** The most recent instants without agreement that evidence lists. */
const shownInstants = 20;

/**
 * Judges whether the work may go from one source to another, over the window that ends with the last tick that is old enough
 * to be judged: what went wrong before it does not count any more.
 */
export async function checkCutover(
  session: Session,
  client: Client,
  pool: pg.Pool,
  request: CutoverRequest,
): Promise<CutoverCheck> {
  const { id, from, to, since } = request;
  const now = new Date();
  refuseOwn(request);
  const applied = await compileApplied(pool, id);
  if (applied === undefined) {
    throw new Refusal(`The history has no definition ${id} that this version can read`, 'actcore apply records it.');
  }
  const { order, cutover: terms } = applied;
  const reachMs = terms.windowMs + defaultSettleMs + order.budget.hardTimeoutMs + order.misfire.graceMs + marginMs;
  const start = new Date(Math.min(now.getTime() - reachMs, since?.getTime() ?? Infinity));
  const survey = await requireSurvey(session, client, pool, { id, from: start, now, settleMs: defaultSettleMs });
  const [old, next] = [requireActive(survey, from), requireActive(survey, to)];
  const toMs = Math.min(old.settledMs, next.settledMs);
  const latestMs = toMs - terms.windowMs;
  const fromMs = since?.getTime() ?? latestMs;
  if (fromMs > latestMs) {
    throw new Refusal(
      `--since is shorter than the window of ${formatDuration(terms.windowMs)} that the definition asks for`,
      'Change cutover.window in the definition, where it is journaled; actcore compare looks at any span.',
    );
  }
  const pair = comparePair(old, next, fromMs, terms.toleranceMs);
  const coveredFromMs = Math.max(fromMs, findCovered(old, fromMs), findCovered(next, fromMs));
  const criteria = judgeCutover({
    ...{ from, to, pair, windowMs: toMs - fromMs, coveredMs: Math.max(0, toMs - coveredFromMs) },
    ...{ minPairs: terms.minPairs, minAgreementPercent: terms.minAgreementPercent },
    differences: countDifferences(survey, request, fromMs, toMs),
  });
  const isGo = criteria.every(({ isMet }) => isMet);
  return { ...request, uuid: survey.uuid, isGo, window: { fromMs, toMs }, terms, criteria, pair };
}

function refuseOwn({ id, from, to }: CutoverRequest): void {
  if (from === to) throw new Refusal('--from and --to are the same source', 'Name the old one and the new one.');
  if (from !== ownSource) return;
  throw new Refusal(
    `${ownSource} is this scheduler itself and is not retired as a source`,
    `To give its work back, write enabled: false into ${id} and apply it.`,
  );
}

function requireActive(survey: SourceSurvey, name: string): SurveyedSource {
  const source = requireSource(survey, name);
  if (source.retirement === undefined) return source;
  const { retiredAt, retiredBy, successor } = source.retirement;
  throw new Refusal(
    `${name} was retired at ${retiredAt} by ${retiredBy} in favour of ${successor}`,
    `actcore cutover revert ${survey.id} --from ${name} lets it fire again.`,
  );
}

/** What the account of the two does not explain, of the ticks of the window. */
function countDifferences(
  { account }: SourceSurvey,
  { from, to }: CutoverRequest,
  fromMs: number,
  toMs: number,
): number {
  const differences = account.sources.flatMap(({ source, differences: own }) =>
    source === from || source === to ? own : [],
  );
  return differences.filter(({ scheduledAt }) => {
    const atMs = Date.parse(scheduledAt);
    return atMs >= fromMs && atMs < toMs;
  }).length;
}

/** A check as data: what stands in the journal as the evidence, and what `--json` prints. */
export function describeCheck(check: CutoverCheck) {
  const { id, from, to, isGo, window, terms, criteria, pair } = check;
  const open = pair.instants.filter(({ verdict }) => verdict.kind === 'disagree');
  return {
    ...{ id, from, to, isGo },
    window: { from: new Date(window.fromMs).toISOString(), to: new Date(window.toMs).toISOString() },
    terms,
    criteria,
    comparison: describePair(pair, open.slice(-shownInstants)),
  };
}
