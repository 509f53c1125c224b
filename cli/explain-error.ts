import { StackProblem } from '../dev/stack-problem.ts';
import { NewerHistoryError } from '../history/migrate.ts';
import { HttpPortError } from '../worker/http-port.ts';
import { MissingBundleError } from '../worker/missing-bundle.ts';
import { UndrainedError } from '../worker/undrained.ts';
import { chooseColors } from './output.ts';
import { showText } from './printable.ts';
import { Refusal, exitCodes } from './refusal.ts';
import type { ExitCode } from './refusal.ts';

/** What speaks for itself. */
const explained = [NewerHistoryError, MissingBundleError, HttpPortError, UndrainedError];

/** Says on stderr what went wrong, and gives the exit code for it. A stack is printed for what nobody foresaw, and only then. */
export function explainError(error: unknown, signal: AbortSignal): ExitCode {
  if (signal.aborted && (error === signal.reason || isAbort(error))) return exitCodes.interrupted;
  if (error instanceof Refusal) return say(error.message, error.advice, error.exitCode);
  if (error instanceof StackProblem) return say(error.message, error.advice, exitCodes.failed);
  if (explained.some((kind) => error instanceof kind))
    return say((error as Error).message, undefined, exitCodes.failed);
  console.error(error);
  return say('This is a defect of actcore: the lines above say where it happened.', undefined, exitCodes.failed);
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

function say(message: string, advice: string | undefined, exitCode: ExitCode): ExitCode {
  const colors = chooseColors(process.stderr);
  console.error(`${colors.red('error:')} ${showText(message)}`);
  if (advice !== undefined) console.error(`  ${colors.cyan(showText(advice))}`);
  return exitCode;
}
