import { join } from 'node:path';
import type pg from 'pg';
import { openHistory } from '../history/database.ts';
import type { KnownActivity } from '../outside/activity.ts';
import { openActivityCache } from '../outside/activity-cache.ts';
import type { ActivityCache } from '../outside/activity-cache.ts';
import type { Delivery } from '../outside/deliver.ts';
import type { Reported } from '../outside/reporter.ts';
import { openSpool } from '../outside/spool.ts';
import type { Spool } from '../outside/spool.ts';
import type { Session } from './command.ts';
import { createActivityFinder, suggestDefinition } from './outside-activity.ts';
import { locateSpool } from './spool-place.ts';
import { version } from './version.ts';

/** What a command of an outside runner works with; nothing of it has to be there. */
export interface OutsideServices {
  /** Why something is not there. */
  faults: string[];
  spool: Spool | undefined;
  cache: ActivityCache | undefined;
  pool: pg.Pool | undefined;
  delivery: Delivery | undefined;
  find: (definitionId: string) => Promise<KnownActivity | undefined>;
}

/** Opens what there is; connects to nothing yet. What cannot be opened is a fault. */
export function openOutsideServices({ settings, env }: Session, paths: string[]): OutsideServices {
  const folder = locateSpool(env);
  const faults: string[] = [];
  const spool = tryTo(
    () => openSpool(folder),
    (fault) => faults.push(fault),
  );
  const cache = spool === undefined ? undefined : openActivityCache(join(folder, 'definitions'), version);
  const { databaseUrl } = settings;
  // What the driver throws quotes the password.
  const pool =
    databaseUrl === undefined
      ? undefined
      : tryTo(
          () => openHistory(databaseUrl),
          () => faults.push('ACTCORE_DATABASE_URL is not the URL of a Postgres database'),
        );
  const find = createActivityFinder({ pool, paths, cache });
  return {
    faults,
    spool,
    cache,
    pool,
    find,
    delivery: pool === undefined ? undefined : openDelivery(pool, spool, find),
  };
}

/** How reports get from a spool into a history. */
export function openDelivery(pool: pg.Pool, spool: Spool | undefined, resolve: Delivery['resolve']): Delivery {
  return {
    ...{ pool, resolve },
    keepPlace(entry) {
      // Where it cannot be kept it is found again, as a rule the same.
      tryTo(
        () => spool?.update(entry, { isHasty: true }),
        () => {},
      );
    },
  };
}

/** A sentence on a report that is not in the history yet; undefined where it is. */
export async function explainMissing(
  reported: Reported,
  { pool, keptIn }: { pool: pg.Pool | undefined; keptIn: string | undefined },
  definitionId: string,
): Promise<string | undefined> {
  if ('row' in reported) return undefined;
  const kept = keptIn === undefined ? 'and it is not kept: this run is not recorded' : `it waits in ${keptIn}`;
  switch (reported.missing) {
    case 'unknown_definition':
      return `the history knows no definition ${definitionId} (${await suggestDefinition(pool, definitionId)}); ${kept}`;
    case 'no_history':
      return `no history is configured, set ACTCORE_DATABASE_URL; ${kept}`;
    case 'away':
      return `the history is away; ${kept}`;
    case 'slow':
      return `the history did not answer in time; ${kept}`;
    case 'refused':
      return `the history did not take it: ${reported.error ?? 'no reason was given'}; ${kept}`;
  }
}

function tryTo<Result>(open: () => Result, note: (text: string) => unknown): Result | undefined {
  try {
    return open();
  } catch (error) {
    note(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
