import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';

/** The worker is being shut down, and what is left of the run is for another one. */
export class HandOverError extends Error {
  override readonly name = 'HandOverError';
}

/** Says to Temporal whether an activity that threw is to be tried again: only what was handed over is. */
export function nameFailure(error: unknown): ApplicationFailure {
  if (error instanceof HandOverError) {
    const message = 'the worker was shut down; another one goes on';
    return ApplicationFailure.create({ message, type: error.name, category: ApplicationFailureCategory.BENIGN });
  }
  return ApplicationFailure.fromError(error, { nonRetryable: true });
}
