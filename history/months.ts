import pg from 'pg';

/** Writes rows of these ticks (ISO); makes the partitions of their months when they are missing, and tries once more. */
export async function writeInMonths<Result>(
  pool: pg.Pool,
  ticks: Iterable<string>,
  write: () => Promise<Result>,
): Promise<Result> {
  try {
    return await write();
  } catch (error) {
    if (!isMissingPartition(error)) throw error;
    const months = new Map(Array.from(ticks, (tick) => [new Date(tick).toISOString().slice(0, 7), tick]));
    for (const tick of months.values()) await pool.query('SELECT actcore.ensure_month($1)', [tick]);
    return write();
  }
}

/** Known by its code, as the server's language may be any: a check violation that names no constraint. */
function isMissingPartition(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23514' && error.constraint === undefined;
}
