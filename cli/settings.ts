import { hostname, userInfo } from 'node:os';
import { locateStateDir, readRunningStack } from '../dev/state.ts';
import { pickAccessVariables } from './temporal-access.ts';
import type { AccessVariables } from './temporal-access.ts';

/** Where everything is, as the environment says, else as the stack that runs in this folder does, else the defaults. */
export interface Settings {
  temporalAddress: string;
  /** TLS and API key of that server; absent where it is spoken to in the plain. */
  temporalAccess?: AccessVariables;
  namespace: string;
  taskQueue: string;
  databaseUrl: string | undefined;
  uiUrl: string | undefined;
  /** Who is at the keyboard, for the rows of what is fired by hand. */
  actor: string;
}

export const defaultDefinitions = 'activity-definitions';

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const stack = readRunningStack(locateStateDir(env, process.cwd()));
  return {
    temporalAddress: env['TEMPORAL_ADDRESS'] || stack?.temporalAddress || '127.0.0.1:7233',
    temporalAccess: pickAccessVariables(env),
    namespace: env['TEMPORAL_NAMESPACE'] || 'default',
    taskQueue: env['ACTCORE_TASK_QUEUE'] || 'activity-core',
    databaseUrl: env['ACTCORE_DATABASE_URL'] || stack?.databaseUrl,
    uiUrl: env['ACTCORE_TEMPORAL_UI_URL'] || stack?.uiUrl,
    actor: env['ACTCORE_ACTOR'] || `${readUserName()}@${hostname()}`,
  };
}

/** A container may run under a number that no account has. */
function readUserName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
}
