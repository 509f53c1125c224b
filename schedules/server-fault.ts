/** What the server, or the way to it, answered instead of doing what it was asked. */
export interface ServerFault {
  /** Of gRPC. */
  code: number;
  message: string;
  /** Nothing more can be done for now: it does not answer. */
  isUnreachable: boolean;
}

/**
 * Unavailable; the deadline exceeded; and cancelled, which nobody here does to a call: a server that sees the deadline
 * pass a moment before the client does says that.
 */
const grpcUnreachable = new Set([14, 4, 1]);

/** Reads an error of the client; undefined where it did not come from the server. */
export function readServerFault(error: unknown): ServerFault | undefined {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  if (!(cause instanceof Error) || !('code' in cause) || typeof cause.code !== 'number') return undefined;
  const message = 'details' in cause ? String(cause.details) : cause.message;
  return { code: cause.code, message, isUnreachable: grpcUnreachable.has(cause.code) };
}
