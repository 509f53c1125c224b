import { accessSync, constants, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { endProcess, endSteps } from './process-end.ts';
import { isRunning } from './process-identity.ts';
import { readLockHolder, takeProcessLock, type LockHolder } from './process-lock.ts';
import type { ServerRecord } from './server-process.ts';
import { quoteError, StackProblem } from './stack-problem.ts';

/** What `stack.json` says of the stack that runs, or that a killed one left. */
export interface StackRecord {
  pid: number;
  startToken: string;
  since: string;
  uiUrl?: string;
  temporalAddress?: string;
  /** Of the embedded Postgres, with its password: the file is readable for its owner only. */
  databaseUrl?: string;
  servers: ServerRecord[];
}

/** Where other commands in the same checkout find the stack. */
type StackAddresses = Partial<Pick<StackRecord, 'uiUrl' | 'temporalAddress' | 'databaseUrl'>>;

/** The state folder held by this process. */
export interface HeldState {
  /** Written at once, so that even a start that is killed leaves no server nobody knows of. */
  recordServer: (record: ServerRecord) => void;
  recordAddresses: (addresses: StackAddresses) => void;
  /** After the servers have ended. */
  release: () => void;
}

/** The state folder of a checkout, unless ACTCORE_STATE_DIR names another. */
export function locateStateDir(env: NodeJS.ProcessEnv, checkout: string): string {
  return resolve(checkout, env['ACTCORE_STATE_DIR'] || '.actcore');
}

/**
 * Takes the state folder for one stack: refuses while another process has it, and ends the servers that a killed one
 * left, found by pid and start time.
 * @throws StackProblem naming the holder.
 */
export async function holdState(stateDir: string, onLeftover: (record: ServerRecord) => void): Promise<HeldState> {
  await makeStateFolder(stateDir);
  const lock = takeProcessLock(lockPath(stateDir));
  if (!lock.taken) throw describeHolder(stateDir, lock.holder);
  try {
    await endLeftovers(stateDir, onLeftover);
  } catch (error) {
    lock.release();
    throw error;
  }
  let record: StackRecord = { ...ownIdentity(stateDir), servers: [] };
  const write = (next: StackRecord) => writeRecord(stateDir, (record = next));
  write(record);
  return {
    recordServer: (server) =>
      write({ ...record, servers: [...record.servers.filter(({ name }) => name !== server.name), server] }),
    recordAddresses: (addresses) => write({ ...record, ...addresses }),
    release: () => {
      rmSync(recordPath(stateDir), { force: true });
      lock.release();
    },
  };
}

/** The stack that runs on a state folder at this moment, for showing it; undefined when none does. */
export function readRunningStack(stateDir: string): StackRecord | undefined {
  return readLockHolder(lockPath(stateDir)) && readRecord(stateDir);
}

/** Ends what a killed run left on a state folder that nobody holds; returns how many servers that were. */
export async function endLeftovers(stateDir: string, onLeftover: (record: ServerRecord) => void): Promise<number> {
  const leftovers = (readRecord(stateDir)?.servers ?? []).filter(isRunning);
  await Promise.all(
    leftovers.map(async (server) => {
      onLeftover(server);
      if (await endProcess(server, endSteps[server.name])) return;
      const advice = `End it by hand (\`kill -9 ${server.pid}\`) and start again.`;
      throw new StackProblem(`A ${server.name} server of an earlier run (pid ${server.pid}) cannot be ended.`, advice);
    }),
  );
  return leftovers.length;
}

/** The folder ignores itself, so that it stays out of git wherever it is put. */
async function makeStateFolder(stateDir: string): Promise<void> {
  try {
    await mkdir(stateDir, { recursive: true });
    accessSync(stateDir, constants.W_OK | constants.X_OK);
    if (!existsSync(join(stateDir, '.gitignore'))) writeFileSync(join(stateDir, '.gitignore'), '*\n');
  } catch (error) {
    const advice = 'Make it writable for this account, or set ACTCORE_STATE_DIR to a folder that is.';
    throw new StackProblem(`The state folder ${stateDir} cannot be used: ${quoteError(error)}.`, advice);
  }
}

function describeHolder(stateDir: string, holder: LockHolder): StackProblem {
  const uiUrl = readRecord(stateDir)?.uiUrl;
  const where = uiUrl === undefined ? '' : `, Temporal UI at ${uiUrl}`;
  const message = `A stack already runs on ${stateDir}: process ${holder.pid}, since ${holder.since}${where}.`;
  return new StackProblem(message, 'Use that one, or end it with Ctrl-C in its terminal first.');
}

function ownIdentity(stateDir: string): Pick<StackRecord, 'pid' | 'startToken' | 'since'> {
  const holder = readLockHolder(lockPath(stateDir));
  if (!holder) throw new Error(`the lock of ${stateDir} was lost`);
  return { pid: holder.pid, startToken: holder.startToken, since: holder.since };
}

function readRecord(stateDir: string): StackRecord | undefined {
  try {
    return JSON.parse(readFileSync(recordPath(stateDir), 'utf8')) as StackRecord;
  } catch {
    return undefined;
  }
}

function writeRecord(stateDir: string, record: StackRecord): void {
  const draft = `${recordPath(stateDir)}.draft`;
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, recordPath(stateDir));
}

const recordPath = (stateDir: string) => join(stateDir, 'stack.json');
const lockPath = (stateDir: string) => join(stateDir, 'stack.lock');
