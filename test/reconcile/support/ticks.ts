import type { Difference } from '../../../reconcile/judge.ts';
import type { Outcome } from '../../../workflows/contract.ts';
import { envOf, readActcore, runActcore } from '../../cli/support/actcore.ts';
import type { Frontmatter } from '../../support/definitions.ts';
import { startRunner } from '../../support/runner.ts';
import type { Runner } from '../../support/runner.ts';
import { startOwnTemporalServer } from '../../support/temporal-server.ts';
import type { RestartableServer } from '../../support/temporal-server.ts';

/** What `actcore audit --json` prints. */
export interface AuditDocument {
  addsUp: boolean;
  definitions: {
    id: string;
    addsUp: boolean;
    from: string;
    to: string;
    sources: {
      source: string;
      expected: number;
      executions: number | null;
      rows: number;
      outcomes: Partial<Record<Outcome | 'running', number>>;
      differences: (Omit<Difference, 'remedy'> & { remedy: string })[];
    }[];
    byHand: { rows: number; executions: number; differences: unknown[] };
  }[];
}

/** A runner on a Temporal server of its own. */
export interface OwnRunner {
  server: RestartableServer;
  runner: Runner;
  close(): Promise<void>;
}

/** Starts such a runner with its worker. */
export async function startOwnRunner(): Promise<OwnRunner> {
  const server = await startOwnTemporalServer();
  const runner = await startRunner(server.address);
  await runner.startWorker();
  const close = async () => {
    await runner.close();
    await server.remove();
  };
  return { server, runner, close };
}

/** A sweep of the path `/NAME` that fires every two seconds. */
export function tickingSweep(name: string, changes: Frontmatter = {}): Frontmatter {
  return {
    ...{ schedule: '{ every: 2s }', misfire_grace: '10s', secrets: '' },
    sweep: `
  request:
    method: POST
    url: \${TARGET_URL}/${name}
  outcome:
    automation_error: body.automation_error != null`,
    ...changes,
  };
}

/** How old a tick is that these tests judge. */
export const settle = '3s';

/** Runs `actcore audit`; all definitions by default. */
export async function audit(runner: Runner, ...args: string[]) {
  return readActcore<AuditDocument>(['audit', ...args, '--settle', settle], { env: envOf(runner) });
}

/** Applies a folder of definitions without their canaries. */
export async function applyFolder(runner: Runner, cwd: string): Promise<void> {
  const args = ['apply', '--allow-uncanaried', '--reason', 'a test'];
  const { exitCode, stderr } = await runActcore(args, { cwd, env: envOf(runner) });
  if (exitCode !== 0) throw new Error(stderr);
}
