import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again until there is an answer, for what others do in their own time. Fails with the last state it saw. */
export async function eventually<Value>(
  ask: () => Promise<Value | undefined | false>,
  { withinMs = 40_000, everyMs = 100, what = 'it' }: { withinMs?: number; everyMs?: number; what?: string } = {},
): Promise<Value> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`${what} did not come about within ${withinMs} ms`);
    await sleep(everyMs);
  }
}
