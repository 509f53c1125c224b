import type pg from 'pg';
import type { Definition } from '../compiler/definition.ts';
import { suggestName } from '../expressions/closest-name.ts';
import { findDefinition, findMovedDefinition } from '../history/chain.ts';
import { listTracked, readRevisionTexts } from '../history/in-force.ts';
import type { KnownActivity } from '../outside/activity.ts';
import type { ActivityCache } from '../outside/activity-cache.ts';

/** Where a definition is looked for: in files first, then in the history. */
export interface ActivityPlaces {
  pool: pg.Pool | undefined;
  paths: string[];
  cache: ActivityCache | undefined;
}

/** Finds definitions as they are in force, each once, and keeps them for the next time. */
export function createActivityFinder(
  places: ActivityPlaces,
): (definitionId: string) => Promise<KnownActivity | undefined> {
  const found = new Map<string, KnownActivity>();
  return async (id) => {
    const activity = found.get(id) ?? (await findInFiles(places, id)) ?? (await findInHistory(places, id));
    if (activity === undefined) return undefined;
    found.set(id, activity);
    places.cache?.write(id, activity);
    return activity;
  };
}

/** What an outside runner has to know of a definition. */
export function describeActivity({ order, sources, cutover }: Definition): KnownActivity {
  const { budget, definition, revision, contractHash, secrets } = order;
  const { id, uuid, kind } = definition;
  const condition = order.kind === 'watchdog' ? undefined : order.sweep.request.expect?.condition;
  return {
    order: { definition: { id, uuid, kind }, revision, contractHash },
    maxSeconds: budget.maxSeconds,
    hardTimeoutMs: budget.hardTimeoutMs,
    ...(budget.minDurationMs === undefined ? {} : { minDurationMs: budget.minDurationMs }),
    toleranceMs: cutover.toleranceMs,
    ...{ secrets, sources },
    ...(order.kind === 'watchdog'
      ? {}
      : { judging: { rules: order.sweep.outcome, ...(condition === undefined ? {} : { condition }) } }),
  };
}

/** Words a hint where no definition has this id. */
export async function suggestDefinition(pool: pg.Pool | undefined, id: string): Promise<string> {
  const otherwise = 'apply it first';
  if (pool === undefined) return otherwise;
  try {
    const tracked = await listTracked(pool);
    return suggestName(
      id,
      tracked.map((one) => one.id),
      otherwise,
    );
  } catch {
    return otherwise;
  }
}

/** The compiler is loaded when it is wanted: most of the time what was kept says it all. */
async function findInFiles({ paths }: ActivityPlaces, id: string): Promise<KnownActivity | undefined> {
  if (paths.length === 0) return undefined;
  const { compilePaths } = await import('./definition-files.ts');
  const { definitions } = await compilePaths(paths);
  const found = definitions.find((definition) => definition.id === id);
  return found === undefined ? undefined : describeActivity(found);
}

async function findInHistory({ pool, cache }: ActivityPlaces, id: string): Promise<KnownActivity | undefined> {
  if (pool === undefined) return undefined;
  const known = (await findDefinition(pool, id)) ?? (await findMovedDefinition(pool, id));
  if (known === undefined) return undefined;
  const kept = cache?.read(id);
  if (kept?.order.revision === known.revision && kept.order.definition.id === known.id) return kept;
  const text = (await readRevisionTexts(pool, known.uuid, [known.revision])).get(known.revision);
  if (text === undefined) return kept;
  const { compileFiles, prepareCompiler } = await import('../compiler/compile-files.ts');
  await prepareCompiler([text]);
  const [definition] = compileFiles([text]).definitions;
  return definition === undefined ? kept : describeActivity(definition);
}
