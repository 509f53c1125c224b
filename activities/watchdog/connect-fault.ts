import { seconds } from '../reasons.ts';
import type { DatabaseAddress } from './address.ts';

/** One sentence on why the watched database could not be connected to. The driver's message may still hold a secret. */
export function explainConnectFault(error: unknown, address: DatabaseAddress, timeoutMs: number): string {
  const { place, user, variable } = address;
  const { code = '', message }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  const where = `the database at ${place} (${variable})`;
  const known = refusals[code]?.(user);
  if (known !== undefined) return `${where} ${known}`;
  if (code === '28000') return `${where} does not let the user ${user} in: ${message}`;
  if (code === '3D000') return `the server at ${place} (${variable}) has no database of that name`;
  if (code === '53300') return `${where} has too many connections: ${message}`;
  if (code.startsWith('57P0')) return `${where} is not ready: ${message}`;
  if (/certificate|self.signed|altname|ssl|tls/i.test(`${code} ${message}`)) {
    return `${where} could not be connected to by TLS: ${message}`;
  }
  if (/^timeout expired|ETIMEDOUT/.test(`${message} ${code}`)) {
    return `${where} did not answer within ${seconds(timeoutMs)}`;
  }
  if (/password must be a string|empty string/i.test(message)) {
    return `${where} asks the user ${user} for a password, and ${variable} holds none`;
  }
  return `${where} could not be connected to: ${message || code || 'no answer'}`;
}

/** By SQLSTATE, or by the code of the operating system. */
const refusals: Record<string, (user: string) => string> = {
  '28P01': (user) => `refuses the password of the user ${user}`,
  ECONNREFUSED: () => 'cannot be reached: the connection was refused',
  ECONNRESET: () => 'cannot be reached: the connection was reset',
  ENOTFOUND: () => 'cannot be reached: no such host is known',
  EAI_AGAIN: () => 'cannot be reached: the name of the host cannot be looked up now',
  EHOSTUNREACH: () => 'cannot be reached: there is no route to the host',
  ENETUNREACH: () => 'cannot be reached: there is no route to its network',
  ENOENT: () => 'cannot be reached: there is no such socket',
  EACCES: () => 'cannot be reached: the socket may not be opened',
};
