/**
 * What an operator can set right: print its message and advice, without a stack.
 * `message` is a whole sentence; `advice` says what to do next.
 */
export class StackProblem extends Error {
  readonly advice: string;

  constructor(message: string, advice: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StackProblem';
    this.advice = advice;
  }
}

/** The text of anything thrown, for quoting it inside a sentence. */
export function quoteError(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
