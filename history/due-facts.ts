import type pg from 'pg';
import type { Due, DueFact } from './health-facts.ts';

/** How far apart the expectations of one statement are at most: it reads no month that they do not need. */
const togetherMs = 8 * 86_400_000;

/** What became of expectations, the newest first. A source is known that reported in the days before, or on one that is rolled up. */
export async function findDue(pool: pg.Pool, dues: Due[]): Promise<DueFact[]> {
  const left = dues.toSorted((one, other) => Date.parse(other.since) - Date.parse(one.since));
  const found: DueFact[] = [];
  while (left[0] !== undefined) {
    const fromMs = Date.parse(left[0].since) - togetherMs;
    const later = left.findIndex(({ since }) => Date.parse(since) < fromMs);
    found.push(...(await findTogether(pool, left.splice(0, later < 0 ? left.length : later))));
  }
  return found;
}

/** Most are seen; only of those that are not there is more to ask. */
async function findTogether(pool: pg.Pool, dues: Due[]): Promise<DueFact[]> {
  const seen = await askEach(
    pool,
    dues,
    0,
    `SELECT EXISTS (
       SELECT FROM actcore.runs WHERE definition_id = name AND runs.source = wanted.source AND scheduled_at >= $6
         AND scheduled_at >= since AND (is_own OR standing >= 0))`,
  );
  const unseen = dues.filter((due) => !seen.has(due));
  const explained = await askEach(
    pool,
    unseen,
    togetherMs,
    `SELECT CASE WHEN is_own THEN EXISTS (
       SELECT FROM actcore.runs WHERE definition_id = name AND runs.source = wanted.source AND scheduled_at >= $6
         AND scheduled_at < since AND scheduled_at >= since - make_interval(secs => timeout_s)
         AND (finished_at IS NULL OR finished_at >= since - interval '1 second'))
     ELSE EXISTS (
       SELECT FROM actcore.runs WHERE definition_id = name AND runs.source = wanted.source AND standing >= 0
         AND scheduled_at >= $6 AND scheduled_at < since)
     OR EXISTS (
       SELECT FROM actcore.run_days WHERE definition_id = name AND run_days.source = wanted.source AND outcome <> 'missed') END`,
  );
  return dues.map((due) => {
    const isSeen = seen.has(due);
    return {
      ...due,
      isSeen,
      isBusy: due.isOwn && explained.has(due),
      isKnown: isSeen || (!due.isOwn && explained.has(due)),
    };
  });
}

/** Those of which it holds; `$6` is what the ticks that are looked at begin with, `backMs` before the first. */
async function askEach(pool: pg.Pool, dues: Due[], backMs: number, select: string): Promise<Set<Due>> {
  if (dues.length === 0) return new Set();
  const firstMs = Math.min(...dues.map(({ since }) => Date.parse(since)));
  const { rows } = await pool.query<{ holds: boolean }>(
    `${select} AS holds
     FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::boolean[], $5::float8[])
       WITH ORDINALITY AS wanted (name, source, since, is_own, timeout_s, place)
     ORDER BY place`,
    [
      dues.map(({ definitionId }) => definitionId),
      dues.map(({ source }) => source),
      dues.map(({ since }) => since),
      dues.map(({ isOwn }) => isOwn),
      dues.map(({ timeoutMs }) => timeoutMs / 1_000),
      new Date(firstMs - backMs),
    ],
  );
  return new Set(dues.filter((_, index) => rows[index]?.holds === true));
}
