import type { Client } from '@temporalio/client';
import { formatElapsed } from '../dev/progress.ts';
import { drawBar } from './bar.ts';
import type { Output } from './output.ts';

/** What a run that is going says of itself; the counts are those of a fan-out. */
export interface RunProgress {
  stage: string;
  targets?: { done: number; total: number; failed: number };
}

const barColumns = 24;
const plainIntervalMs = 10_000;

/** What the last heartbeat of a run says; undefined where the server does not answer. */
export async function readProgress(client: Client, workflowId: string): Promise<RunProgress | undefined> {
  try {
    const description = await client.workflow.getHandle(workflowId).describe();
    const pending = description.raw.pendingActivities?.[0];
    if (pending?.activityType?.name === 'recordOutcome') {
      return { stage: 'it has ended; waiting for the history to record it' };
    }
    const data = pending?.heartbeatDetails?.payloads?.[0]?.data;
    if (data) return readBeat(JSON.parse(Buffer.from(data).toString('utf8')));
    return { stage: pending === undefined ? 'waiting for a worker' : 'starting' };
  } catch {
    // Progress is a courtesy: the result itself is waited for elsewhere, and says what is wrong.
    return undefined;
  }
}

/** Heartbeats of workers of other versions may say more or less. */
function readBeat(beat: unknown): RunProgress {
  const { stage, done, total, failed } = (beat ?? {}) as Record<string, unknown>;
  const progress = { stage: typeof stage === 'string' ? stage : 'at work' };
  if (typeof done !== 'number' || typeof total !== 'number') return progress;
  return { ...progress, targets: { done, total, failed: typeof failed === 'number' ? failed : 0 } };
}

/** Progress as one line, with a bar where there is something to count. */
export function formatProgress({ stage, targets }: RunProgress, elapsedMs: number): string {
  const elapsed = formatElapsed(elapsedMs);
  if (targets === undefined) return `${stage}, ${elapsed}`;
  const { done, total, failed } = targets;
  const bar = drawBar(total === 0 ? 1 : done / total, barColumns);
  return `${bar} ${done} of ${total} targets${failed > 0 ? `, ${failed} failed` : ''}, ${stage}, ${elapsed}`;
}

/** Shows progress: on a terminal each time in place of the last, elsewhere a line every 10 s. */
export function createProgressPrinter(
  output: Pick<Output, 'progress' | 'note'>,
  { isTerminal = process.stderr.isTTY, now = Date.now }: { isTerminal?: boolean; now?: () => number } = {},
): (text: string) => void {
  let printedAt = now();
  return (text) => {
    if (isTerminal) return output.progress(text);
    if (now() - printedAt < plainIntervalMs) return;
    printedAt = now();
    output.note(text);
  };
}
