import type { Client } from '@temporalio/client';
import type { TargetTally } from '../workflows/contract.ts';
import { formatElapsed } from '../dev/progress.ts';
import { drawBar } from './bar.ts';
import type { Output } from './output.ts';

/** What a run that is going says of itself. */
export interface RunProgress {
  stage: string;
  /** Of a fan-out, so far: what has not ended yet is `notReached`. */
  targets?: TargetTally;
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
    if (data) return readBeat(JSON.parse(Buffer.from(data).toString('utf8')) as Parameters<typeof readBeat>[0]);
    return { stage: pending === undefined ? 'waiting for a worker' : 'starting' };
  } catch {
    // Progress is a courtesy: the result itself is waited for elsewhere, and says what is wrong.
    return undefined;
  }
}

/** A worker of another version may say less. */
function readBeat(beat: { stage?: string; targets?: TargetTally } | null): RunProgress {
  const stage = beat?.stage ?? 'at work';
  return beat?.targets === undefined ? { stage } : { stage, targets: beat.targets };
}

/** Progress as one line, with a bar where there is something to count. */
export function formatProgress({ stage, targets }: RunProgress, elapsedMs: number): string {
  const elapsed = formatElapsed(elapsedMs);
  if (targets === undefined) return `${stage}, ${elapsed}`;
  const { total, failed, notReached } = targets;
  const done = total - notReached;
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
