import { Environment } from '@marcbachmann/cel-js';
import type { JsonValue } from '../workflows/contract.ts';

/** What an expression may read: a response. Header names are in lower case; `body` is null where it was not JSON. */
export interface CelScope {
  status: number;
  headers: Record<string, string>;
  body: JsonValue;
}

/** The names that an expression may begin with. */
export const celVariables = ['status', 'headers', 'body'] as const;

/** Longer expressions are refused before they are parsed, so that the parser's recursion stays shallow. */
export const longestExpression = 4_000;

/** The one environment of all expressions; making one is expensive, and it holds no state of a run. */
export const celEnvironment = new Environment({
  homogeneousAggregateLiterals: false,
  limits: { maxAstNodes: 500, maxDepth: 32, maxListElements: 100, maxMapEntries: 100, maxCallArguments: 8 },
})
  .registerVariable('status', 'int')
  .registerVariable('headers', 'map<string, string>')
  .registerVariable('body', 'dyn');

/** The functions and macros that an expression may call; for hints. */
export const celFunctions: readonly string[] = [
  ...new Set(celEnvironment.getDefinitions().functions.map((definition) => definition.name)),
];
