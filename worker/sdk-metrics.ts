import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

const answerLimitMs = 2_000;

/** A port of loopback on which nobody listens now; another process may come first. */
export async function chooseLoopbackAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `127.0.0.1:${port}`;
}

/** What the SDK exposes at that address; undefined where it does not answer. Ends in a line break, if there is anything. */
export async function readSdkMetrics(address: string): Promise<string | undefined> {
  try {
    const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(answerLimitMs) });
    if (!response.ok) return undefined;
    const text = await response.text();
    return text === '' || text.endsWith('\n') ? text : `${text}\n`;
  } catch {
    return undefined;
  }
}
