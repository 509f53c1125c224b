import { setTimeout as sleep } from 'node:timers/promises';
import { it } from 'vitest';
import { awaitPunctual, expectOneStaleTick, outageMs, startTwo } from './support/outage.ts';

it('workers stopped for a minute: no backlog, one misfire_skipped row, and exactly one late run under run_once', async () => {
  const { runner } = await startTwo();
  await runner.stopWorker();
  const downAt = Date.now();
  await sleep(outageMs);
  const upAt = Date.now();
  await runner.startWorker();
  await awaitPunctual(runner, upAt);
  await expectOneStaleTick(runner, downAt, upAt);
}, 240_000);
