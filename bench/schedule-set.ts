import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { compileFiles } from '../compiler/compile-files.ts';
import type { Definition } from '../compiler/definition.ts';
import { chooseAnyPort } from '../dev/ports.ts';
import { obtainTemporalBinary } from '../dev/temporal-binary.ts';
import { startTemporalServer } from '../dev/temporal-server.ts';
import { ownerMemo } from '../schedules/desired.ts';
import type { DesiredSchedule } from '../schedules/desired.ts';
import { forEachAtOnce } from '../schedules/each.ts';
import type { PlannedChange } from '../schedules/plan.ts';
import { ensureSearchAttributes } from '../schedules/search-attributes.ts';

/** A thousand at once may keep one call waiting for longer than the client's own limit. */
const patienceMs = 600_000;

/** Runs a measurement on a Temporal server of its own. */
export async function withServer<Result>(measure: (client: Client) => Promise<Result>): Promise<Result> {
  const stateDir = await mkdtemp(join(tmpdir(), 'actcore-bench-'));
  const { path: binary } = await obtainTemporalBinary();
  const [port, uiPort] = [await chooseAnyPort(), await chooseAnyPort()];
  const server = await startTemporalServer({ binary, stateDir, port, uiPort });
  const connection = await Connection.connect({ address: `127.0.0.1:${port}` });
  try {
    await ensureSearchAttributes(connection, 'default');
    return await connection.withDeadline(Date.now() + patienceMs, () => measure(new Client({ connection })));
  } finally {
    await connection.close();
    await server.stop();
    await rm(stateDir, { recursive: true, force: true });
  }
}

export async function timeSteps(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

/** What the client alone does, at the concurrency of ours. */
export function createBare(client: Client, desired: DesiredSchedule[]): Promise<unknown> {
  return forEachAtOnce(desired, ({ id, options }) =>
    client.schedule.create({ scheduleId: id, ...options, memo: { [ownerMemo]: true }, state: { paused: false } }),
  );
}

export function describeBare(client: Client, desired: DesiredSchedule[]): Promise<unknown> {
  return forEachAtOnce(desired, ({ id }) => client.schedule.getHandle(id).describe());
}

export function isUnchanged({ action }: PlannedChange): boolean {
  return action === 'unchanged';
}

/** Sweeps that fire once a year. */
export function defineMany(name: string, count: number): Definition[] {
  const files = Array.from({ length: count }, (_, index) => ({
    file: `${index}.md`,
    text: `---
id: ${name}.d${index}
title: Sweep ${index}
owner: bench
kind: sweep
enabled: true
schedule: { cron: "${index % 60} 4 1 1 *" }
env: [TARGET_URL]
budget: { max_seconds: 60 }
sweep:
  request: { method: POST, url: "\${TARGET_URL}/sweep" }
  outcome: { automation_error: "!body.ok" }
---
# Sweep ${index}
`,
  }));
  const { definitions, problems } = compileFiles(files);
  const fault = problems.find(({ severity }) => severity === 'error');
  if (fault !== undefined) throw new Error(JSON.stringify(fault));
  return definitions;
}
