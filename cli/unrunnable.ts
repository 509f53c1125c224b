import type { Definition } from '../compiler/definition.ts';

/** Why the workers of this version cannot run a definition that is without a fault; undefined where they can. */
export function describeUnrunnable({ order }: Pick<Definition, 'order'>): string | undefined {
  if (order.kind !== 'watchdog') return undefined;
  return 'it is a watchdog, and the workers of this version run sweeps only; lint and simulate take it';
}
