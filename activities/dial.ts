import { once } from 'node:events';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { type LookupFunction, type Socket, connect as connectPlain, isIP } from 'node:net';
import { type SecureContext, connect as connectSecure } from 'node:tls';
import { TargetUnreachableError, connectTimeoutMs, nameDialFault, sayDialTimeout } from './exchange-fault.ts';
import { nameHost } from './host-patterns.ts';
import type { Proxy } from './proxy.ts';

/** Where to connect to, and how. */
export interface Dialling {
  url: URL;
  lookup: LookupFunction;
  secureContext: SecureContext | undefined;
  proxy: Proxy | undefined;
}

/** A connection that is up: TCP, the tunnel through a proxy and TLS where they are needed. */
export interface Dialled {
  socket: Socket;
  connectMs: number;
  tlsMs: number;
}

/**
 * Connects to a target, within the connect timeout. Nothing stays open when it fails.
 *
 * @throws TargetUnreachableError, ForbiddenHostError, or the signal's reason
 */
export async function dial(dialling: Dialling, signal: AbortSignal): Promise<Dialled> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(() => controller.abort(), connectTimeoutMs);
  const { url, proxy } = dialling;
  const peer = proxy === undefined ? url.origin : `the proxy ${proxy.url.origin}`;
  const opened: Socket[] = [];
  const keep = (socket: Socket) => {
    opened.push(socket.on('error', () => {}));
    return socket;
  };
  let isTls = false;
  try {
    const startedAt = performance.now();
    const plain = keep(await openSocket(dialling, controller.signal, keep));
    const connectedAt = performance.now();
    if (url.protocol !== 'https:') return { socket: plain, connectMs: connectedAt - startedAt, tlsMs: 0 };
    isTls = true;
    const socket = keep(shakeHands(plain, dialling));
    await once(socket, 'secureConnect', { signal: controller.signal });
    return { socket, connectMs: connectedAt - startedAt, tlsMs: performance.now() - connectedAt };
  } catch (error) {
    for (const socket of opened) socket.destroy();
    if (signal.aborted) throw signal.reason;
    const at = isTls ? url.origin : peer;
    if (controller.signal.aborted) throw new TargetUnreachableError(sayDialTimeout(at), { cause: error });
    throw nameDialFault(error, at, isTls);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}

async function openSocket(
  { url, lookup, proxy }: Dialling,
  signal: AbortSignal,
  keep: (socket: Socket) => Socket,
): Promise<Socket> {
  if (proxy !== undefined && url.protocol === 'https:') return openTunnel(url, proxy, signal);
  const at = proxy?.url ?? url;
  const socket = keep(
    connectPlain({
      host: nameHost(at.hostname),
      port: portOf(at),
      ...(proxy === undefined ? { lookup } : {}),
      autoSelectFamily: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: 60_000,
    }),
  );
  await once(socket, 'connect', { signal });
  if (proxy?.url.protocol !== 'https:') return socket;
  const host = nameHost(at.hostname);
  const secure = keep(connectSecure({ socket, host, servername: isIP(host) === 0 ? host : '' }));
  await once(secure, 'secureConnect', { signal });
  return secure;
}

/** Asks a proxy for a tunnel to the target; the target's own TLS goes through it. */
async function openTunnel(url: URL, { url: at, headers }: Proxy, signal: AbortSignal): Promise<Socket> {
  const path = `${url.hostname}:${portOf(url)}`;
  const send = at.protocol === 'https:' ? requestSecure : requestPlain;
  const request = send({
    host: nameHost(at.hostname),
    port: portOf(at),
    method: 'CONNECT',
    path,
    headers: { host: path, ...headers },
    agent: false,
    signal,
  });
  request.end();
  const [response, socket] = (await once(request, 'connect')) as [{ statusCode?: number }, Socket];
  if (response.statusCode === 200) return socket;
  socket.on('error', () => {}).destroy();
  const answered = `the proxy ${at.origin} answered ${response.statusCode} when it was asked for a tunnel to ${path}`;
  throw new TargetUnreachableError(answered);
}

function shakeHands(socket: Socket, { url, secureContext }: Dialling): Socket {
  const host = nameHost(url.hostname);
  return connectSecure({
    socket,
    host,
    servername: isIP(host) === 0 ? host : '',
    ALPNProtocols: ['h2', 'http/1.1'],
    ...(secureContext === undefined ? {} : { secureContext }),
  });
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}
