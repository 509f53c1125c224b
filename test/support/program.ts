import { fileURLToPath } from 'node:url';

/** The root of the project. */
export const checkout = fileURLToPath(new URL('../..', import.meta.url));

/** The command line that starts the program as it ships; the global set-up has built it. */
export const actcoreCommand = [
  process.execPath,
  fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url)),
] as const;
