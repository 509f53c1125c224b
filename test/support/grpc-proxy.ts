import { connect, createSecureServer, createServer } from 'node:http2';
import type { IncomingHttpHeaders, SecureServerOptions, ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';

/** What a proxy answers itself: a status of gRPC and its message. */
export interface Denial {
  status: number;
  message: string;
}

export interface GrpcProxy {
  /** host:port, of 127.0.0.1. */
  address: string;
  port: number;
  /** The headers of every call that came. */
  calls: IncomingHttpHeaders[];
  close(): Promise<void>;
}

interface GrpcProxyOptions {
  /** Without it the proxy speaks in the plain. */
  tls?: SecureServerOptions;
  /** Says of a call that it is not passed on. */
  deny?: (headers: IncomingHttpHeaders) => Denial | undefined;
}

/** Opens a way to the gRPC server at `upstream` (host:port, plain) that ends TLS, looks at every call, and may refuse some. */
export async function openGrpcProxy(upstream: string, { tls, deny }: GrpcProxyOptions = {}): Promise<GrpcProxy> {
  const calls: IncomingHttpHeaders[] = [];
  const behind = connect(`http://${upstream}`);
  behind.on('error', () => {});
  const server = tls === undefined ? createServer() : createSecureServer(tls);
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => {});
    session.on('close', () => sessions.delete(session));
  });
  server.on('sessionError', () => {});
  server.on('stream', (stream, headers) => {
    calls.push(headers);
    stream.on('error', () => {});
    const denial = deny?.(headers);
    if (denial === undefined) passOn(stream, headers);
    else
      stream.respond(
        {
          ...{ ':status': 200, 'content-type': 'application/grpc' },
          ...{ 'grpc-status': String(denial.status), 'grpc-message': denial.message },
        },
        { endStream: true },
      );
  });
  const passOn = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
    const call = behind.request({ ...headers, ':authority': upstream, ':scheme': 'http' });
    call.on('error', () => stream.close());
    stream.on('close', () => call.close());
    call.on('response', (answer, flags) => {
      const { ':status': status = 200, ...others } = answer;
      // NGHTTP2_FLAG_END_STREAM: a refusal of gRPC is headers and nothing else.
      if ((flags & 1) !== 0) return stream.respond({ ':status': status, ...others }, { endStream: true });
      let trailers: IncomingHttpHeaders = {};
      call.on('trailers', (sent) => (trailers = sent));
      stream.respond({ ':status': status, ...others }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers(trailers));
      call.pipe(stream);
    });
    stream.pipe(call);
  };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    ...{ address: `127.0.0.1:${port}`, port, calls },
    async close() {
      for (const session of sessions) session.destroy();
      behind.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
