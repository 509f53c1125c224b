import { isIP } from 'node:net';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { TLSConfig } from '@temporalio/client';

const answerLimitMs = 2_000;
/** A server that wants a certificate says so after the handshake, in TLS 1.3. */
const complaintLimitMs = 500;

/** What is wrong with the TLS between here and a server, and what to do. */
export interface TlsFault {
  says: string;
  advice: string;
}

/**
 * Shakes hands with a server that the client could not talk to: its library only knows that there was no connection.
 * Undefined where TLS is not what stands in the way.
 */
export async function findTlsFault(address: string, tls: TLSConfig | undefined): Promise<TlsFault | undefined> {
  if (!URL.canParse(`tcp://${address}`)) return undefined;
  const { hostname, port } = new URL(`tcp://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  const error = await shakeHands({ host, port: Number(port || 7233), ...describe(host, tls) });
  if (tls !== undefined) return error === undefined ? undefined : explain(error);
  if (error === undefined || error instanceof ClosedError || isAlert(error)) {
    return { says: 'speaks TLS, and was spoken to without', advice: 'Set TEMPORAL_TLS=true.' };
  }
  return undefined;
}

function describe(host: string, tls: TLSConfig | undefined): ConnectionOptions {
  if (tls === undefined) return { rejectUnauthorized: false };
  const { serverNameOverride: name = host, serverRootCACertificate: ca, clientCertPair: pair } = tls;
  return {
    ALPNProtocols: ['h2'],
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(ca === undefined ? {} : { ca: Buffer.from(ca) }),
    ...(pair === undefined ? {} : { cert: Buffer.from(pair.crt), key: Buffer.from(pair.key) }),
  };
}

/** What the handshake ended with; undefined where it is well. */
function shakeHands(options: ConnectionOptions): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connect(options);
    const settle = (error?: Error) => {
      socket.destroy();
      resolve(error);
    };
    socket.setTimeout(answerLimitMs, () => settle(new Error('no answer')));
    socket.once('error', settle);
    socket.once('data', () => settle());
    socket.once('secureConnect', () => {
      socket.once('close', () => settle(new ClosedError('closed the connection after the handshake')));
      setTimeout(settle, complaintLimitMs).unref();
    });
  });
}

class ClosedError extends Error {
  readonly code = 'closed after the handshake';
}

function isAlert(error: Error): boolean {
  return /alert/i.test(`${'code' in error ? String(error.code) : ''} ${error.message}`);
}

const explanations: { sign: RegExp; says: (text: string) => string; advice: string }[] = [
  {
    sign: /ALTNAME_INVALID/,
    says: (text) => `shows a certificate for another name: ${text}`,
    advice: 'Set TEMPORAL_TLS_SERVER_NAME to a name in its certificate.',
  },
  {
    sign: /CERT_HAS_EXPIRED/,
    says: () => 'shows a certificate that has expired',
    advice: 'Renew it there.',
  },
  {
    sign: /SELF_SIGNED|UNABLE_TO|certificate signature failure/i,
    says: (text) => `shows a certificate that is not trusted here: ${text}`,
    advice: 'Set TEMPORAL_TLS_CA_FILE to the authority that signed it.',
  },
  {
    sign: /closed after the handshake/,
    says: (text) => text,
    advice: 'It may not know the client certificate (TEMPORAL_TLS_CERT_FILE); its log says why.',
  },
  {
    sign: /alert/i,
    says: () => 'does not accept the client certificate, or wants one',
    advice: 'Set TEMPORAL_TLS_CERT_FILE and TEMPORAL_TLS_KEY_FILE to a certificate that it knows.',
  },
  {
    sign: /WRONG_VERSION_NUMBER|packet length too long/i,
    says: () => 'does not speak TLS',
    advice: 'Unset TEMPORAL_TLS and what goes with it.',
  },
];

function explain(error: Error): TlsFault | undefined {
  const signs = `${'code' in error ? String(error.code) : ''} ${error.message}`;
  const found = explanations.find(({ sign }) => sign.test(signs));
  return found && { says: found.says(error.message), advice: found.advice };
}
