import { Environment } from '@marcbachmann/cel-js';
import type { JsonValue } from '../workflows/contract.ts';

/** What an expression over a response may read. Header names are in lower case; `body` is null where it was not JSON. */
export interface CelScope {
  status: number;
  headers: Record<string, string>;
  body: JsonValue;
}

/** What an expression over the end of a fan-out may read: how many of its targets ended in which way. */
export interface CelTally {
  total: number;
  completed: number;
  failed: number;
  lock_skipped: number;
  not_reached: number;
}

/** What an expression is about. */
export type CelSubject = 'response' | 'tally';

/** Longer expressions are refused before they are parsed, so that the parser's recursion stays shallow. */
export const longestExpression = 4_000;

/** The types of the names that an expression may begin with. */
const variables = {
  response: { status: 'int', headers: 'map<string, string>', body: 'dyn' },
  tally: { total: 'int', completed: 'int', failed: 'int', lock_skipped: 'int', not_reached: 'int' },
} as const satisfies Record<CelSubject, Record<string, string>>;

/** One environment for each subject; making one is expensive, and it holds no state of a run. */
export const celEnvironments: Readonly<Record<CelSubject, Environment>> = {
  response: buildEnvironment(variables.response),
  tally: buildEnvironment(variables.tally),
};

/** The functions and macros that an expression may call; for hints. */
export const celFunctions: readonly string[] = [
  ...new Set(celEnvironments.response.getDefinitions().functions.map((definition) => definition.name)),
];

/** The names that an expression may begin with; for hints. */
export function listCelVariables(subject: CelSubject): string[] {
  return Object.keys(variables[subject]);
}

function buildEnvironment(types: Readonly<Record<string, string>>): Environment {
  const environment = new Environment({
    homogeneousAggregateLiterals: false,
    limits: { maxAstNodes: 500, maxDepth: 32, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 8 },
  });
  for (const [name, type] of Object.entries(types)) environment.registerVariable(name, type);
  return environment;
}
