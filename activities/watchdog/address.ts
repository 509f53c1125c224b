import pg from 'pg';
import type { WatchdogPlan } from '../../workflows/contract.ts';
import { WatchError } from './check-error.ts';
import { watchReasons } from './watch-reasons.ts';

/** Where the watched database is. Only `variable`, `place` and `user` may be shown. */
export interface DatabaseAddress {
  /** The variable that held it. */
  variable: string;
  url: string;
  /** `host:port/database`. */
  place: string;
  user: string;
  /** The address and its password, each with its name. */
  secrets: Secret[];
}

/** A value that may not leave the worker, and what stands in its place. */
export type Secret = readonly [name: string, value: string];

const scheme = /^postgres(ql)?:\/\//i;
/**
 * Takes the first of the plan's variables that is set on this worker.
 *
 * @throws WatchError where none is set, or it holds no address; no value is in its message
 */
export function chooseAddress(
  { database }: Pick<WatchdogPlan, 'database'>,
  environment: Record<string, string | undefined>,
): DatabaseAddress {
  const variable = database.find((name) => (environment[name] ?? '') !== '');
  const url = variable === undefined ? undefined : environment[variable]?.trim();
  if (variable === undefined || url === undefined) throw new WatchError(watchReasons.noAddress(database));
  if (!scheme.test(url)) throw new WatchError(watchReasons.badAddress(variable));
  const { host, port, user, database: name, password } = readParts(variable, url);
  const place = `${host}:${port}/${name ?? ''}`;
  return { variable, url, place, user: user ?? '', secrets: listSecrets(variable, url, password) };
}

/** The driver's own reading, which also knows the variables that libpq knows. */
function readParts(variable: string, url: string): Pick<pg.Client, 'host' | 'port' | 'user' | 'database' | 'password'> {
  try {
    return new pg.Client({ connectionString: url });
  } catch (error) {
    const fault = error as NodeJS.ErrnoException;
    // It names a certificate; any other message may quote the address.
    if (fault.code !== 'ENOENT') throw new WatchError(watchReasons.badAddress(variable), { cause: error });
    throw new WatchError(watchReasons.unreadableAddress(variable, `there is no file ${fault.path}`), { cause: error });
  }
}

function listSecrets(variable: string, url: string, password: unknown): Secret[] {
  const known: Secret[] = [[variable, url]];
  if (typeof password === 'string' && password !== '') known.push([`password of ${variable}`, password]);
  const written = /^[^:]+:\/\/[^/?#]*?:([^@/?#]*)@/.exec(url)?.[1] ?? '';
  if (written !== '' && written !== password) known.push([`password of ${variable}`, written]);
  return known;
}
