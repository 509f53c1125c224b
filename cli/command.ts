import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Output } from './output.ts';
import { openOutput } from './output.ts';
import { exitCodes } from './refusal.ts';
import type { ExitCode } from './refusal.ts';
import { readSettings } from './settings.ts';
import type { Settings } from './settings.ts';

/** What a command gets besides its arguments. */
export interface Session {
  settings: Settings;
  output: Output;
  env: NodeJS.ProcessEnv;
  /** Aborted by Ctrl-C or SIGTERM. */
  signal: AbortSignal;
}

/** Options that commander parsed; each command states its own. */
export interface CommonOptions {
  json?: boolean;
}

/** What a command does, with the options that commander parsed and the arguments; its exit code is 0 where it gives none. */
export type Handler<Options> = (session: Session, options: Options, args: string[]) => Promise<ExitCode | void>;

/** How long a command may take to say what an interrupt leaves behind. */
const interruptGraceMs = 500;

/**
 * Gives a command its handler, and stores the exit code that the handler returns in the process. An interrupt ends the
 * command; one that `drains` ends by itself, when it has stopped what it started.
 */
export function handle<Options extends CommonOptions>(
  command: Command,
  signal: AbortSignal,
  handler: Handler<Options>,
  { drains = false }: { drains?: boolean } = {},
): void {
  command.action(async () => {
    const options = command.opts<Options>();
    const env = process.env;
    const session = { settings: readSettings(env), output: openOutput(options.json === true), env, signal };
    const ending = handler(session, options, command.args);
    const exitCode = await (drains ? ending : Promise.race([ending, rejectAfterAbort(signal)]));
    process.exitCode = exitCode ?? exitCodes.ok;
  });
}

async function rejectAfterAbort(signal: AbortSignal): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  await sleep(interruptGraceMs, undefined, { ref: false });
  throw signal.reason;
}

/** Adds `--json` to a command that prints data. */
export function withJson(command: Command): Command {
  return command.option('--json', 'print the data as one JSON document');
}
