import type { TrackedDefinition } from '../history/in-force.ts';
import { accountOutside, accountOwn } from './account.ts';
import type { ByHandAccount, SourceAccount } from './account.ts';
import type { Execution } from './executions.ts';
import { readFacts } from './facts.ts';
import type { DefinitionFacts, SurveyScope } from './facts.ts';
import type { Look } from './look.ts';
import { reasons } from './reasons.ts';

/** The account of one definition. */
export interface DefinitionAccount {
  id: string;
  uuid: string;
  /** ISO: the first tick that was looked at, and the end of the span. */
  from: string;
  to: string;
  sources: SourceAccount[];
  byHand: ByHandAccount;
  /** Why the expected ticks are not known in full. */
  faults: string[];
}

/** The account, and what this look at the schedule has to add to what is remembered; absent where there is none. */
export interface Survey {
  account: DefinitionAccount;
  look?: Look;
}

/** Compares the expected ticks of one definition, its executions and its rows. Writes nothing. */
export async function surveyDefinition(
  scope: SurveyScope,
  tracked: TrackedDefinition,
  executions: Execution[],
): Promise<Survey> {
  const facts = await readFacts(scope, tracked, executions);
  return { account: accountFor(facts), ...(facts.look && { look: facts.look }) };
}

/** The account of what is known of a definition. */
export function accountFor({ id, uuid, span, own, plans, outside, faults }: DefinitionFacts): DefinitionAccount {
  const { own: ownAccount, byHand } = accountOwn(own, plans, span);
  const accounts = outside.flatMap(({ source, span: reported, expectation, rows, retirement }) => {
    if (reported === undefined) return [];
    const account = accountOutside(source, expectation, rows, reported, reasons.unreported(source));
    return [{ ...account, ...(retirement && { retirement }) }];
  });
  return {
    ...{ id, uuid, from: new Date(span.fromMs).toISOString(), to: new Date(span.toMs).toISOString() },
    ...{ sources: [ownAccount, ...accounts], byHand },
    faults: [...new Set([...faults, ...outside.flatMap(({ expectation }) => expectation.faults)])],
  };
}

/** Whether nothing is left to be explained. */
export function addsUp({ sources, byHand, faults }: DefinitionAccount): boolean {
  return faults.length === 0 && [...sources, byHand].every(({ differences }) => differences.length === 0);
}
