import { execa } from 'execa';
import { actcoreCommand, checkout } from './program.ts';
import type { Runner } from './runner.ts';
import { eventually } from './eventually.ts';

/** A worker in a process of its own, for being killed. */
export interface WorkerProcess {
  pid: number;
  /** Also when it has ended already. */
  signal(name: NodeJS.Signals): void;
  ended: Promise<{ exitCode?: number | undefined; stderr: string }>;
}

/** Starts `actcore worker` for a runner, in an environment with `more` in it, and waits until the server has seen it. */
export async function startWorkerProcess(runner: Runner, more: Record<string, string> = {}): Promise<WorkerProcess> {
  const [node, ...program] = actcoreCommand;
  const child = execa(node, [...program, 'worker', '--log-level', 'ERROR'], {
    cwd: checkout,
    reject: false,
    // A worker that drains is waited for.
    forceKillAfterDelay: false,
    env: {
      ...runner.environment,
      TEMPORAL_ADDRESS: runner.temporalAddress,
      ACTCORE_DATABASE_URL: runner.databaseUrl,
      ACTCORE_TASK_QUEUE: runner.taskQueue,
      ...more,
    },
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('the worker could not be started');
  const identity = `${pid}@`;
  await eventually(
    async () => {
      const { pollers } = await runner.connection.workflowService.describeTaskQueue({
        namespace: 'default',
        taskQueue: { name: runner.taskQueue },
        taskQueueType: 2,
      });
      return pollers?.some((poller) => poller.identity?.startsWith(identity));
    },
    { withinMs: 60_000, what: 'the worker' },
  );
  return { pid, signal: (name) => void child.kill(name), ended: child };
}
