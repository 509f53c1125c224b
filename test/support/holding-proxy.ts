import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

/** A way to a Postgres on which an answer can be withheld, as by a network that fails at a chosen moment. */
export interface HoldingProxy {
  /** The address of the server, by this way. */
  url: string;
  /**
   * Lets nothing more through to the client of the connection that has said these texts, in this order, from the last of
   * them on; the server still gets it. Resolves then.
   */
  hold(texts: string[]): Promise<void>;
  close(): Promise<void>;
}

/** Opens such a way to the server of this URL. */
export async function openHoldingProxy(url: string): Promise<HoldingProxy> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  let awaited: string[] = [];
  let settle = () => {};
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let said = 0;
    let isHeld = false;
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    client.on('data', (chunk) => {
      const text = chunk.toString('latin1');
      while (said < awaited.length && text.includes(awaited[said] ?? '')) said += 1;
      if (awaited.length > 0 && said === awaited.length) isHeld = true;
      upstream.write(chunk, () => isHeld && settle());
    });
    upstream.on('data', (chunk) => {
      if (!isHeld) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = new URL(url);
  own.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: own.href,
    hold(texts) {
      awaited = texts;
      return new Promise((resolve) => (settle = resolve));
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
