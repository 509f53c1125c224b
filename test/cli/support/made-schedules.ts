import type { Client } from '@temporalio/client';

/** Deletes the schedules that a test file may have made; those it never came to are passed over. */
export async function deleteSchedules({ schedule }: Client, ids: string[]): Promise<void> {
  for (const id of ids)
    await schedule
      .getHandle(id)
      .delete()
      .catch(() => {});
}
