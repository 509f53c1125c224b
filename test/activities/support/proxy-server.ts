import { type IncomingMessage, type ServerResponse, createServer, request } from 'node:http';
import { type AddressInfo, type Socket, connect } from 'node:net';

/** What a proxy was asked for: `CONNECT host:port`, or a method and a whole URL. */
export interface Passed {
  line: string;
  authorization: string | undefined;
}

export interface ProxyServer {
  url: string;
  passed: Passed[];
  close: () => Promise<unknown>;
}

/** A proxy that resolves every name to loopback, as the resolver of another network would; `refusal` is its status for all. */
export async function startProxyServer({ refusal }: { refusal?: number } = {}): Promise<ProxyServer> {
  const passed: Passed[] = [];
  const sockets = new Set<Socket>();
  const note = ({ method, url, headers }: IncomingMessage) =>
    passed.push({ line: `${method} ${url}`, authorization: headers['proxy-authorization'] });
  const server = createServer((incoming, response) => {
    note(incoming);
    if (refusal === undefined) passOn(incoming, response);
    else response.writeHead(refusal).end('refused by the proxy');
  });
  server.on('connect', (incoming: IncomingMessage, socket: Socket) => {
    note(incoming);
    socket.on('error', () => {});
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal} Refused\r\n\r\n`);
      return;
    }
    const target = connect(Number(incoming.url?.split(':').at(-1)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(target).pipe(socket);
    });
    target.on('error', () => socket.destroy());
    socket.once('close', () => target.destroy());
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    passed,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function passOn(incoming: IncomingMessage, response: ServerResponse): void {
  const { port, pathname, search } = new URL(incoming.url ?? '');
  const { method, headers } = incoming;
  const options = { host: '127.0.0.1', port, path: pathname + search, method, headers, agent: false };
  const sent = request(options, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  incoming.pipe(sent);
}
