import { applyAll } from '../schedules/apply-all.ts';
import { compileSchedule } from '../schedules/desired.ts';
import type { PlannedChange } from '../schedules/plan.ts';
import { isFailed } from '../schedules/render.ts';
import { ensureSearchAttributes } from '../schedules/search-attributes.ts';
import type { Session } from './command.ts';
import type { CompiledSet } from './definition-files.ts';
import { startProgress } from './progress-bar.ts';
import { checkPruneLimit, surveyServer } from './prune-options.ts';
import type { PruneFlags } from './prune-options.ts';
import { applyRecorded } from './recorded-apply.ts';
import { pruneRecorded } from './recorded-prune.ts';
import { withTemporal } from './temporal-service.ts';
import type { Admission } from './waivers.ts';

export interface ApplyOptions extends PruneFlags {
  /** Where the definitions were read; orphans are looked for only where these are whole folders. */
  paths: string[];
  admission: Admission;
  repair?: boolean;
}

/**
 * Applies a set of definitions to the server and records it, as `apply` and `dev` do. How many would be pruned is
 * checked before the first write, and nothing is removed where a write has failed.
 */
export async function applySet(
  { settings, output }: Pick<Session, 'settings' | 'output'>,
  set: Pick<CompiledSet, 'definitions' | 'texts'>,
  { paths, admission, repair = false, prune = false, pruneLimit }: ApplyOptions,
): Promise<PlannedChange[]> {
  const { namespace, taskQueue } = settings;
  return withTemporal(settings, async (client, connection) => {
    await ensureSearchAttributes(connection, namespace);
    const survey = await surveyServer(client, paths, { definitions: set.definitions, taskQueue, prune });
    if (prune && survey !== undefined) checkPruneLimit(survey, pruneLimit);
    const changes = await applyRecorded(settings, client, set, admission, (admitted, onApplied) => {
      const desired = admitted.map((definition) => compileSchedule(definition, taskQueue));
      const showStep = startProgress(output, 'applying', desired.length);
      const onStep = (change: PlannedChange) => {
        showStep();
        onApplied(change);
      };
      return applyAll(client, desired, { repair, listed: survey?.listed, onStep });
    });
    const orphans = survey?.orphans ?? [];
    if (!prune || changes.some(isFailed)) return [...changes, ...orphans];
    return [...changes, ...(await pruneRecorded(settings, client, orphans))];
  });
}
