import { errors } from 'undici';
import { seconds } from './reasons.ts';

/** How long a target may take to accept a connection, its name lookup and TLS handshake included. */
export const connectTimeoutMs = 10_000;

/** An exchange that gave no answer that can be read; the message is a sentence for the operator. */
export class ExchangeError extends Error {
  override readonly name: string = 'ExchangeError';
  /** Milliseconds between the begin of the exchange and its failure; absent where it never began. */
  elapsedMs?: number;
}

/** The request never reached the target, so it cannot have had an effect and may be sent again. */
export class TargetUnreachableError extends ExchangeError {
  override readonly name = 'TargetUnreachableError';
}

/** The target was reached and the connection broke: whether the request had an effect is unknown. */
export class ConnectionLostError extends ExchangeError {
  override readonly name = 'ConnectionLostError';
}

/** The worker may not talk to this host, so nothing was sent. */
export class ForbiddenHostError extends ExchangeError {
  override readonly name = 'ForbiddenHostError';
}

const unreachable: Record<string, string> = {
  ECONNREFUSED: 'refused the connection',
  ENOTFOUND: 'has a host name that does not resolve',
  EAI_AGAIN: 'has a host name that could not be looked up just now',
  EHOSTUNREACH: 'has no route to it',
  ENETUNREACH: 'has no route to its network',
  ETIMEDOUT: 'did not accept a connection in time',
};

const untrusted = /^(CERT_|DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT|UNABLE_TO_|ERR_TLS_CERT_ALTNAME_INVALID)/;

/** What TLS 1.3 tells only after the client has begun to write: the target never read the request. */
const clientRefused = /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE)/;

/** Turns what a connection attempt threw into an error of this file. `peer` is the origin, or the proxy on the way to it. */
export function nameDialFault(error: unknown, peer: string, isTls: boolean): ExchangeError {
  if (error instanceof ExchangeError) return error;
  const { code, message } = readFault(error);
  return new TargetUnreachableError(`${peer} ${describeDial(code, message, isTls)}`, { cause: error });
}

/** The sentence for a connection that was not up when its time was over. */
export function sayDialTimeout(peer: string): string {
  return `${peer} accepted no connection within ${seconds(connectTimeoutMs)}`;
}

/** Turns what an exchange on a connection threw into an error of this file. */
export function nameFault(error: unknown, origin: string): ExchangeError {
  if (error instanceof ExchangeError) return error;
  const { code, message } = readFault(error);
  if (clientRefused.test(code)) {
    return new TargetUnreachableError(`${origin} ${describeClientRefusal(code)}`, { cause: error });
  }
  if (error instanceof errors.HTTPParserError) {
    return new ExchangeError(`${origin} answered in something that is not HTTP: ${message}`, { cause: error });
  }
  if (error instanceof errors.InvalidArgumentError) {
    return new ExchangeError(`${origin} cannot be sent this request: ${message}`, { cause: error });
  }
  return new ConnectionLostError(`${origin} ${describeBreak(error, code, message)}`, { cause: error });
}

function readFault(error: unknown): { code: string; message: string } {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return { code, message: error instanceof Error ? error.message : String(error) };
}

function describeDial(code: string, message: string, isTls: boolean): string {
  const known = unreachable[code];
  if (known !== undefined) return known;
  if (untrusted.test(code)) return `presented a certificate that this worker does not trust: ${message} (${code})`;
  if (clientRefused.test(code)) return describeClientRefusal(code);
  if (isTls) {
    const told = code === '' ? message : code;
    return `could not be talked to in TLS (${told}): is it plain http, or a TLS of another age?`;
  }
  return `could not be connected to: ${message}`;
}

function describeClientRefusal(code: string): string {
  const demand = code.endsWith('CERTIFICATE_REQUIRED') ? 'demands a client certificate' : 'refused our certificate';
  return `${demand} (${code}); see tls.cert and tls.key of the request`;
}

function describeBreak(error: unknown, code: string, message: string): string {
  if (error instanceof errors.SocketError) return 'closed the connection before it had answered';
  if (code === 'ECONNRESET' || code === 'EPIPE') return `broke the connection before it had answered (${code})`;
  return `was reached and the exchange broke: ${message}${code === '' ? '' : ` (${code})`}`;
}
