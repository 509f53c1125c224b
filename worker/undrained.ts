/** A worker that was told to stop has given up waiting for what it was at. */
export class UndrainedError extends Error {
  override readonly name = 'UndrainedError';

  constructor() {
    super(
      'the worker ended before all that it was at had: another worker takes those runs up, or records that they were lost',
    );
  }
}
