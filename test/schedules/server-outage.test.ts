import { setTimeout as sleep } from 'node:timers/promises';
import { it } from 'vitest';
import { awaitPunctual, expectOneStaleTick, outageMs, startTwo } from './support/outage.ts';

it('the Temporal server stopped for a minute: no backlog, one misfire_skipped row, and exactly one late run under run_once', async () => {
  const { runner, server } = await startTwo();
  await server.stop();
  const downAt = Date.now();
  await sleep(outageMs);
  const upAt = Date.now();
  await server.start();
  await awaitPunctual(runner, upAt);
  await expectOneStaleTick(runner, downAt, upAt);
}, 240_000);
