import type { Client } from '@temporalio/client';

/** The server gives no more than this at once. */
const pageSize = 1_000;
/** It says no more than a few seconds' worth at a time of a schedule that would go on for ever. */
const mostPages = 100;

/**
 * Asks the server for the times at which a schedule of today's shape starts, from one moment on and before another, in
 * epoch milliseconds: whether it was paused, and whether it was there by then, makes no difference.
 */
export async function listMatchingTimes(client: Client, id: string, fromMs: number, toMs: number): Promise<number[]> {
  const { namespace } = client.options;
  const times: number[] = [];
  // The server lists what comes after a moment.
  let afterMs = fromMs - 1;
  for (let page = 0; page < mostPages; page += 1) {
    const { startTime } = await client.workflowService.listScheduleMatchingTimes({
      ...{ namespace, scheduleId: id, startTime: toTimestamp(afterMs), endTime: toTimestamp(toMs - 1) },
    });
    const found = (startTime ?? []).map(({ seconds, nanos }) => Number(seconds) * 1_000 + (nanos ?? 0) / 1_000_000);
    times.push(...found.filter((time) => time >= fromMs && time < toMs));
    const last = found.at(-1);
    if (found.length < pageSize || last === undefined) break;
    afterMs = last;
  }
  return times;
}

function toTimestamp(atMs: number) {
  return { seconds: Math.floor(atMs / 1_000) as never, nanos: (((atMs % 1_000) + 1_000) % 1_000) * 1_000_000 };
}
