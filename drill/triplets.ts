import type pg from 'pg';

/** What a watchdog did, by the log of the ledger and by the history. */
export interface TripletAccount {
  episodes: number;
  /** Changes of rows that runs made. */
  acts: number;
  /** In the audit table of the ledger, and in the history. */
  triplets: { ledger: number; history: number };
  faults: string[];
}

interface Counted {
  acts: number;
  ledger: number;
  history: number;
}

/** Holds episodes, changes, and both sorts of triplets against each other, one by one. */
export async function accountTriplets(ledger: pg.Pool, history: pg.Pool, definition: string): Promise<TripletAccount> {
  const episodes = await ledger.query<{ name: string }>(
    `SELECT check_name || ' ' || experiment AS name FROM drill.episodes`,
  );
  const gone = await ledger.query<{ name: string }>(`SELECT check_name || ' ' || experiment AS name FROM drill.gone`);
  const acts = await ledger.query<{ name: string; run: string; cured: boolean }>(
    `SELECT coalesce(check_name, 'nothing wrong with') || ' ' || experiment AS name, run, is_cured AS cured FROM drill.acts`,
  );
  const triplets = await ledger.query<{ name: string; run: string }>(
    `SELECT check_name || ' ' || experiment AS name, run FROM drill.triplets`,
  );
  const kept = await history.query<{ name: string; run: string }>(
    `SELECT check_name || ' ' || (finding_key::json ->> 0) AS name, action.run_id AS run
     FROM actcore.actions AS action JOIN actcore.action_batches AS batch ON batch.id = batch_id
     WHERE action.definition_id = $1 AND fate = 'committed' AND outcome = 'cured'`,
    [definition],
  );
  return {
    episodes: episodes.rows.length,
    acts: acts.rows.length,
    triplets: { ledger: triplets.rows.length, history: kept.rows.length },
    faults: [
      ...compareEpisodes(episodes.rows, gone.rows, acts.rows),
      ...compareTriplets(acts.rows, triplets.rows, kept.rows),
      ...(await findUnsettled(history, definition)),
    ],
  };
}

/** Each episode is ended once: by a run, or by the ledger itself. */
function compareEpisodes(
  episodes: { name: string }[],
  gone: { name: string }[],
  acts: { name: string; cured: boolean }[],
): string[] {
  const open = new Map<string, number>();
  const add = (name: string, count: number) => open.set(name, (open.get(name) ?? 0) + count);
  for (const { name } of episodes) add(name, 1);
  for (const { name } of [...gone, ...acts]) add(name, -1);
  const uneven = [...open].flatMap(([name, count]) => {
    if (count === 0) return [];
    return [count > 0 ? `${name} was not repaired` : `${name} was acted on ${-count} times too often`];
  });
  return [...uneven, ...acts.filter(({ cured }) => !cured).map(({ name }) => `${name} was changed and not cured`)];
}

/** Each change of a row has one triplet in the ledger and one in the history, of the same run, and none is without. */
function compareTriplets(
  acts: { name: string; run: string }[],
  ledger: { name: string; run: string }[],
  history: { name: string; run: string }[],
): string[] {
  const counted = new Map<string, Counted>();
  const count = (rows: { name: string; run: string }[], what: keyof Counted) => {
    for (const { name, run } of rows) {
      const key = `${name} by run ${run}`;
      const before = counted.get(key) ?? { acts: 0, ledger: 0, history: 0 };
      counted.set(key, { ...before, [what]: before[what] + 1 });
    }
  };
  count(acts, 'acts');
  count(ledger, 'ledger');
  count(history, 'history');
  return [...counted].flatMap(([key, found]) => {
    if (found.acts === 1 && found.ledger === 1 && found.history === 1) return [];
    return [`${key}: ${found.acts} changes, ${found.ledger} triplets in the ledger, ${found.history} in the history`];
  });
}

async function findUnsettled(history: pg.Pool, definition: string): Promise<string[]> {
  const { rows } = await history.query<{ id: string }>(
    `SELECT id FROM actcore.action_batches WHERE definition_id = $1 AND fate = 'pending'`,
    [definition],
  );
  return rows.map(({ id }) => `nobody knows what became of the batch ${id}`);
}
