import { errors } from 'undici';
import { seconds } from './reasons.ts';

/** How long a target may take to accept a connection. */
export const connectTimeoutMs = 10_000;

/** The request never reached the target, so it cannot have had an effect and may be sent again. */
export class TargetUnreachableError extends Error {
  override readonly name = 'TargetUnreachableError';
}

/** The target was reached and the exchange broke: whether it had an effect is unknown. */
export class ExchangeError extends Error {
  override readonly name = 'ExchangeError';
}

const unreachable: Record<string, string> = {
  ECONNREFUSED: 'refused the connection',
  ENOTFOUND: 'has a host name that does not resolve',
  EAI_AGAIN: 'has a host name that could not be looked up just now',
  EHOSTUNREACH: 'has no route to it',
  ENETUNREACH: 'has no route to its network',
  ETIMEDOUT: 'did not accept a connection in time',
  UND_ERR_CONNECT_TIMEOUT: `accepted no connection within ${seconds(connectTimeoutMs)}`,
};

const untrusted = /^(CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|ERR_TLS_CERT_ALTNAME_INVALID)/;

/** Turns what an exchange threw into one of the two errors of this file, with a sentence for the operator. */
export function nameFault(error: unknown, origin: string): Error {
  if (error instanceof ExchangeError) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  const message = error instanceof Error ? error.message : String(error);
  if (isBeforeConnection(error, code)) {
    const fault = unreachable[code] ?? `could not be connected to: ${message}`;
    return new TargetUnreachableError(`${origin} ${fault}`, { cause: error });
  }
  if (untrusted.test(code)) {
    const fault = `presented a certificate that this worker does not trust: ${message} (${code})`;
    return new TargetUnreachableError(`${origin} ${fault}`, { cause: error });
  }
  return new ExchangeError(`${origin} ${describeBreak(error, code, message)}`, { cause: error });
}

/** The same code may come from a connection that was up, over which the request may have gone: the call that failed tells. */
function isBeforeConnection(error: unknown, code: string): boolean {
  if (code === 'UND_ERR_CONNECT_TIMEOUT') return true;
  if (error instanceof AggregateError) return error.errors.every((inner) => isBeforeConnection(inner, ''));
  const call = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  return call === 'connect' || call === 'getaddrinfo';
}

function describeBreak(error: unknown, code: string, message: string): string {
  if (error instanceof errors.SocketError) return 'closed the connection before it had answered';
  if (code === 'ECONNRESET' || code === 'EPIPE') return `broke the connection before it had answered (${code})`;
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_')) {
    return `could not be talked to in TLS (${code}): is it plain http, or a TLS of another age?`;
  }
  if (error instanceof errors.HTTPParserError) return `answered in something that is not HTTP: ${message}`;
  return `was reached and the exchange broke: ${message}${code === '' ? '' : ` (${code})`}`;
}
