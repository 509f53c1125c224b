import type { Problem } from '../compiler/problem.ts';

/** What is wrong with a file or a folder as such, as a problem at its first character. */
export function faultOf(file: string, message: string, hint?: string): Problem {
  return { file, line: 1, column: 1, path: '', severity: 'error', message, ...(hint === undefined ? {} : { hint }) };
}

/** Why the system would not open a file or a folder; `otherwise` words that it is not there. */
export function describeFailure(error: unknown, otherwise: string): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return otherwise;
    case 'EACCES':
    case 'EPERM':
      return 'cannot be read: this account has no permission';
    case 'ELOOP':
      return 'cannot be read: it is a link that leads back to itself';
    case 'ENXIO':
    case 'ENODEV':
      return notRegular;
    default:
      return `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** Said of pipes, sockets and devices, whichever of them the system opens. */
export const notRegular = 'cannot be read: it is not a regular file';

/** Said of a link whose target is gone. */
export const deadLink = 'cannot be read: it is a link to a file that is not there';
