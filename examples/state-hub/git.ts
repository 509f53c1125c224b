import { execa, ExecaError } from 'execa';

/** Git could not do its work: missing, unreachable remote, broken clone, too slow. The message is one sentence. */
export class GitError extends Error {
  override name = 'GitError';
  /** Standard output of the command; `git push --porcelain` says there which ref was rejected. */
  readonly stdout: string;

  constructor(message: string, stdout: string, cause: unknown) {
    super(message, { cause });
    this.stdout = stdout;
  }
}

/** How one git command is run. */
export interface GitCommand {
  /** Folder to run in. */
  cwd: string;
  /** Ends the command; the promise then rejects with the signal's reason. */
  signal: AbortSignal;
  input?: string;
  env?: Record<string, string>;
  timeoutMs?: number;
}

/** No command of a sweep may take longer, whatever the budget: one remote that hangs must not cost all repos. */
const gitTimeoutMs = 60_000;

const identity = { name: 'State Hub', email: 'state-hub@example.invalid' };

/** Nothing of the machine's or the operator's own git configuration applies, and nothing asks at a terminal. */
const fixedEnv = {
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ASKPASS: 'false',
  SSH_ASKPASS: 'false',
  SSH_ASKPASS_REQUIRE: 'force',
  GIT_OPTIONAL_LOCKS: '0',
  GIT_AUTHOR_NAME: identity.name,
  GIT_AUTHOR_EMAIL: identity.email,
  GIT_COMMITTER_NAME: identity.name,
  GIT_COMMITTER_EMAIL: identity.email,
  LC_ALL: 'C',
};

/** Hooks of a clone are not run, and no housekeeping stays behind when a command ends. */
const fixedConfig = ['core.hooksPath=/dev/null', 'gc.auto=0', 'maintenance.auto=false', 'submodule.recurse=false'];

/** Runs git and returns its standard output without the last line end. Throws GitError, or the signal's reason. */
export async function runGit(args: string[], command: GitCommand): Promise<string> {
  const { cwd, signal, input = '', env = {}, timeoutMs = gitTimeoutMs } = command;
  signal.throwIfAborted();
  const child = execa('git', [...fixedConfig.flatMap((entry) => ['-c', entry]), ...args], {
    cwd,
    input,
    env: { ...inheritEnv(), ...fixedEnv, ...env },
    extendEnv: false,
    detached: true,
    maxBuffer: 8 * 1024 * 1024,
  });
  let timedOut = false;
  const end = (): void => endGroup(child.pid);
  const timer = setTimeout(() => {
    timedOut = true;
    end();
  }, timeoutMs);
  signal.addEventListener('abort', end, { once: true });
  try {
    return (await child).stdout;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ExecaError)) throw error;
    const message = timedOut ? `took longer than ${timeoutMs / 1000} s` : describeFailure(error);
    throw new GitError(`git ${args[0] ?? ''} ${message}`, error.stdout ?? '', error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', end);
  }
}

/** Ends git and what it has started, such as an ssh that waits for a host: they are a process group of their own. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  const kill = (name: NodeJS.Signals): void => {
    try {
      process.kill(-pid, name);
    } catch {
      // The group has ended already.
    }
  };
  kill('SIGTERM');
  setTimeout(kill, 500, 'SIGKILL');
}

/** What git needs of our own environment; a GIT_DIR that we were started with must not reach it. */
function inheritEnv(): Record<string, string> {
  const ssh = ['SSH_AUTH_SOCK', 'GIT_SSH_COMMAND'];
  const proxies = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'https_proxy', 'http_proxy', 'no_proxy'];
  const names = ['PATH', 'HOME', 'TMPDIR', ...ssh, ...proxies];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

function describeFailure(error: ExecaError): string {
  if (error.code === 'ENOENT') return 'could not be started: git or the folder is not there';
  const lines = String(error.stderr ?? '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('hint:'));
  const said = lines.slice(0, 3).join('; ').slice(0, 400);
  return `failed: ${said === '' ? error.shortMessage : said}`;
}
