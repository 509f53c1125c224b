import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * Where reports wait for the history, the same for all timers of an account: ACTCORE_SPOOL_DIR, else below
 * XDG_STATE_HOME, else /var/lib for root and ~/.local/state for anybody else.
 */
export function locateSpool(env: NodeJS.ProcessEnv): string {
  const named = env['ACTCORE_SPOOL_DIR'];
  if (named) return resolve(named);
  const stateHome = env['XDG_STATE_HOME'];
  if (stateHome) return resolve(stateHome, 'actcore/spool');
  if (process.getuid?.() === 0) return '/var/lib/actcore/spool';
  const home = env['HOME'] || readHome();
  return home === undefined
    ? join(tmpdir(), `actcore-spool-${process.getuid?.() ?? 0}`)
    : join(home, '.local/state/actcore/spool');
}

/** A container may run under a number that no account has. */
function readHome(): string | undefined {
  try {
    return homedir();
  } catch {
    return undefined;
  }
}
