/**
 * How much later than on an idle machine a thing may be done where all tests run at once. To be added to the upper
 * bound of a measured time, where what the bound tells apart lies further away than this.
 */
export const slackMs = 6_000;

/** Milliseconds of CPU that this process spends on `work`: unlike the time on the clock they do not depend on the others. */
export async function measureCpuMs(work: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
