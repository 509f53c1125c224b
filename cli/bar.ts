/** A bar that is filled to `share` of its columns. */
export function drawBar(share: number, columns: number): string {
  const filled = Math.round(Math.min(Math.max(share, 0), 1) * columns);
  return '█'.repeat(filled) + '░'.repeat(columns - filled);
}
