/** A compiled worker found no workflow bundle beside it. */
export class MissingBundleError extends Error {
  override readonly name = 'MissingBundleError';
}
