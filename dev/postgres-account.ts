import { readFileSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { StackProblem } from './stack-problem.ts';
import { findOnPath } from './temporal-probe.ts';

/** How Postgres is run: as whom, and through what. Postgres refuses to run as root. */
export interface PostgresAccount {
  /** Absent: as ourselves. */
  ids?: { uid: number; gid: number; name: string };
  /** Whether the child drops to `ids` itself, through setpriv; else Node does it. */
  wrap: (file: string, args: string[]) => { file: string; args: string[]; account?: { uid: number; gid: number } };
}

/** What the choice depends on: who we are, what must be run, and the folder that will hold the data. */
export interface AccountQuestion {
  uid: number;
  binary: string;
  dataFolder: string;
  env: NodeJS.ProcessEnv;
}

const plain: PostgresAccount['wrap'] = (file, args) => ({ file, args });
const accountNames = ['postgres', 'nobody'];

/**
 * Chooses the account. As root it is the owner of existing data, else `postgres`, else `nobody`; where that account
 * cannot pass a closed folder (root's home, a `mktemp -d`), the child keeps the one capability to do so.
 * @throws StackProblem when there is no such account, or setpriv is needed and missing.
 */
export function choosePostgresAccount(question: AccountQuestion): PostgresAccount {
  if (question.uid !== 0) return { wrap: plain };
  const ids = findOwner(question.dataFolder) ?? findAccount();
  if (!ids) {
    const advice = 'Add one (`useradd --system postgres`), start as an ordinary user, or set ACTCORE_DATABASE_URL.';
    throw new StackProblem('Postgres refuses to run as root, and there is no account `postgres` or `nobody`.', advice);
  }
  const account = { uid: ids.uid, gid: ids.gid };
  const needed = neededCapability(question, account);
  if (needed === undefined) return { ids, wrap: (file, args) => ({ file, args, account }) };
  const setpriv = findOnPath('setpriv', question.env);
  if (setpriv === undefined) {
    throw new StackProblem(
      `Postgres has to run as ${ids.name}, who cannot pass ${needed.closed}, and there is no setpriv to let it through.`,
      'Install util-linux, move the checkout below an open folder, start as an ordinary user, or set ACTCORE_DATABASE_URL.',
    );
  }
  const flags = setprivFlags(account, needed.capability);
  return { ids, wrap: (file, args) => ({ file: setpriv, args: [...flags, file, ...args] }) };
}

/** `no_setuid_fixup`: without it access(2), which Postgres asks about its own programs, disregards capabilities. */
function setprivFlags({ uid, gid }: { uid: number; gid: number }, capability: string): string[] {
  const only = `-all,+${capability}`;
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--securebits=+no_setuid_fixup'];
  return [...identity, `--inh-caps=${only}`, `--ambient-caps=${only}`, `--bounding-set=${only}`];
}

/** Reading and passing is enough, but for programs that only root may execute; containers often grant the second only. */
function neededCapability(
  question: AccountQuestion,
  account: { uid: number; gid: number },
): { capability: string; closed: string } | undefined {
  const executable = isGranted(question.binary, account, 0o1);
  const folders = [...listAncestors(question.binary), ...listAncestors(question.dataFolder)];
  const closed = folders.find((folder) => !isGranted(folder, account, 0o1));
  if (executable && closed === undefined) return undefined;
  const capability = executable && holdsReadSearch() ? 'dac_read_search' : 'dac_override';
  return { capability, closed: closed ?? question.binary };
}

function listAncestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...listAncestors(parent), parent];
}

function isGranted(path: string, account: { uid: number; gid: number }, bit: number): boolean {
  const found = lookAt(path);
  if (!found) return true;
  const shift = found.uid === account.uid ? 6 : found.gid === account.gid ? 3 : 0;
  return ((found.mode >> shift) & bit) === bit;
}

/** CAP_DAC_READ_SEARCH is bit 2 of the permitted set; Docker leaves it out by default. */
function holdsReadSearch(): boolean {
  try {
    const permitted = /^CapPrm:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
    return (BigInt(`0x${permitted}`) & 4n) !== 0n;
  } catch {
    return false;
  }
}

function findOwner(folder: string): PostgresAccount['ids'] {
  const found = lookAt(folder);
  if (!found || found.uid === 0) return undefined;
  const entry = readPasswd().find((account) => account.uid === found.uid);
  return { uid: found.uid, gid: found.gid, name: entry?.name ?? `uid ${found.uid}` };
}

function lookAt(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function findAccount(): PostgresAccount['ids'] {
  const accounts = readPasswd();
  for (const name of accountNames) {
    const found = accounts.find((account) => account.name === name);
    if (found) return found;
  }
  return undefined;
}

function readPasswd(): { name: string; uid: number; gid: number }[] {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    return name && uid && gid ? [{ name, uid: Number(uid), gid: Number(gid) }] : [];
  });
}
