import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { compileSchedule } from '../../../schedules/desired.ts';
import type { Cadence } from '../../../workflows/contract.ts';
import { readTestSetting } from '../../support/database.ts';
import { defineSweep } from '../../support/definitions.ts';

/** The real server, asked for the ticks of a cadence. */
export interface ServerTicks {
  /** The times after one moment and up to another, in epoch milliseconds, at which it would start a schedule. */
  list: (cadence: Cadence, after: string, upTo: string) => Promise<number[]>;
  close: () => Promise<void>;
}

const namespace = 'default';

/** Connects to the tests' server. */
export async function openServerTicks(): Promise<ServerTicks> {
  const connection = await Connection.connect({ address: readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS') });
  const client = new Client({ connection, namespace });
  const second = (iso: string) => ({ seconds: Math.floor(Date.parse(iso) / 1_000) as never, nanos: 0 });
  const list = async (cadence: Cadence, after: string, upTo: string) => {
    const plain = defineSweep(`test.ticks-${randomUUID().slice(0, 8)}`);
    const { id, options } = compileSchedule({ ...plain, order: { ...plain.order, cadence } }, 'nobody');
    const handle = await client.schedule.create({ scheduleId: id, ...options, state: { paused: true } });
    try {
      const { startTime } = await client.workflowService.listScheduleMatchingTimes({
        ...{ namespace, scheduleId: id, startTime: second(after), endTime: second(upTo) },
      });
      return (startTime ?? []).map((time) => Number(time.seconds) * 1_000);
    } finally {
      await handle.delete();
    }
  };
  return { list, close: () => connection.close() };
}
