import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runActcore } from './worker-process.ts';
import type { Surroundings } from './worker-process.ts';

/** A sweep that a scenario watches. */
export interface DrilledSweep {
  id: string;
  everyMs: number;
  /** Times within which a fixed offset is taken, such as `20s`. */
  spread?: string;
  budget: { maxSeconds: number; hardTimeout: string };
  grace: string;
  retries?: boolean;
}

/** The two that every scenario has: one of 5 s, and under it one of 30 s. */
export function definePair(scenario: string, changes: Pick<DrilledSweep, 'retries'> = {}): DrilledSweep[] {
  return [
    ...[{ id: `drill.${scenario}.every-5s`, everyMs: 5_000, budget: { maxSeconds: 3, hardTimeout: '4s' } }],
    ...[{ id: `drill.${scenario}.every-30s`, everyMs: 30_000, budget: { maxSeconds: 8, hardTimeout: '10s' } }],
  ].map((sweep) => ({ ...sweep, grace: '10s', ...changes }));
}

function writeSweep({ id, everyMs, spread, budget, grace, retries }: DrilledSweep): string {
  const schedule = `{ every: ${everyMs / 1_000}s${spread === undefined ? '' : `, spread: ${spread}`} }`;
  return `---
id: ${id}
title: Drill ${id}
owner: drill
kind: sweep
enabled: true
schedule: ${schedule}
misfire_policy: skip
misfire_grace: ${grace}
budget: { max_seconds: ${budget.maxSeconds}, hard_timeout: ${budget.hardTimeout} }
${retries === true ? 'retry: { attempts: 2, backoff: 1s, idempotent: true }\n' : ''}env: [TARGET_URL]
sweep:
  request:
    method: POST
    url: \${TARGET_URL}/work
    body: { definition: "\${definition.id}", scheduled_at: "\${run.scheduled_at}", run_id: "\${run.id}" }
  outcome:
    automation_error: body.automation_error != null
---
# A target that a drill disturbs

## On automation error
## On assessment failure
`;
}

/** Writes sweeps into the folder of a scenario and applies them; returns when the server has them all. */
export async function applySweeps(around: Surroundings, sweeps: DrilledSweep[]): Promise<void> {
  await applyFiles(
    around,
    sweeps.map((sweep) => ({ id: sweep.id, text: writeSweep(sweep) })),
  );
}

/** One `apply` goes at a time. */
let applying: Promise<unknown> = Promise.resolve();

/** Applies definition files without their canaries. */
export async function applyFiles(around: Surroundings, files: { id: string; text: string }[]): Promise<void> {
  const folder = join(around.folder, 'activity-definitions');
  await mkdir(folder);
  for (const { id, text } of files) await writeFile(join(folder, `${id}.md`), text);
  around.applied.push(...files.map(({ id }) => id));
  const args = ['apply', folder, '--allow-uncanaried', '--allow-unproven', '--reason', 'a drill'];
  const turn = applying.then(() => runActcore(around, args));
  applying = turn.catch(() => {});
  const { exitCode, stdout, stderr } = await turn;
  if (exitCode !== 0) throw new Error(`apply ended with ${exitCode}: ${stderr || stdout}`);
}
