import { applySchedule } from '../../schedules/apply.ts';
import { compileSchedule } from '../../schedules/desired.ts';
import type { RunRow } from '../../history/queries.ts';
import { defineSweep } from './definitions.ts';
import type { Frontmatter } from './definitions.ts';
import { eventually } from './eventually.ts';
import type { Runner } from './runner.ts';

/** A sweep that says in its body which definition it belongs to. */
const namedSweep = `
  request:
    method: POST
    url: \${TARGET_URL}/sweep
    body: { definition: "\${definition.id}", run_id: "\${run.id}" }
  outcome:
    automation_error: body.automation_error != null
    assessment_failures: body.assessment_failures`;

/** Applies a schedule of 10 s under a misfire policy, and waits until a run has completed and its workflow has closed. */
export async function startTicking(runner: Runner, id: string, changes: Frontmatter): Promise<void> {
  const ticking = { schedule: '{ every: 10s }', misfire_grace: '10s', sweep: namedSweep, secrets: '', ...changes };
  await applySchedule(runner.client, compileSchedule(defineSweep(id, ticking), runner.taskQueue));
  await eventually(async () => (await runner.runsOf(id)).some(({ outcome }) => outcome === 'completed'));
  await eventually(async () => {
    const { info } = await runner.client.schedule.getHandle(id).describe();
    return info.runningActions.length === 0;
  });
}

/** Milliseconds between a run's tick and its start. */
export function latenessMs(run: RunRow): number {
  return Date.parse(run.startedAt) - Date.parse(run.scheduledAt);
}

/** The runs whose tick lies between two moments. */
export function ticksBetween(runs: RunRow[], fromMs: number, toMs: number): RunRow[] {
  return runs.filter(({ scheduledAt }) => Date.parse(scheduledAt) >= fromMs && Date.parse(scheduledAt) < toMs);
}

/** The ids of the runs of a definition that the target was called for. */
export function calledRuns({ target }: Runner, definitionId: string): string[] {
  const bodies = target.calls.map(({ body }) => JSON.parse(body) as { definition?: string; run_id: string });
  return bodies.filter(({ definition }) => definition === definitionId).map((body) => body.run_id);
}
