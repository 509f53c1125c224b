/** The documented exit codes of every command. */
export const exitCodes = {
  ok: 0,
  /** Problems in the input, a state that does not allow it, or a run that ended as automation_error or timed_out. */
  failed: 1,
  /** `plan` only: applying would change something. */
  changesPending: 2,
  /** Temporal or the history cannot be reached. */
  unreachable: 3,
  interrupted: 130,
} as const;

/** Those of `exec` beside the ones of its command: as timeout(1) and shells have them. */
export const execExitCodes = {
  timedOut: 124,
  /** Called wrongly, or refused under --strict. */
  refused: 125,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Something the operator can put right: printed as its message and advice, without a stack, before the exit code. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly advice: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, advice?: string, exitCode: ExitCode = exitCodes.failed) {
    super(message);
    this.advice = advice;
    this.exitCode = exitCode;
  }
}
