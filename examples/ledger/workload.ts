import type pg from 'pg';
import type { Random } from './random.ts';

const lanes = ['igla-race', 'hybrid-ngram', 'jepa-proxy', 'attn-muon', 'golden-bpe'];

/** What the example keeps of each kind, so that it may run for months. */
const bounds = { workers: 6, waiting: 40, running: 30, ended: 300, audited: 1_000 };

/** Of how many seconds one breaks something, and how long a worker stays dead. */
const pace = { stuckEvery: 10, leakEvery: 15, deathEvery: 60, deadForSeconds: 400 };

/** Fills an empty ledger, with something of each that is wrong; of one that is not, the workers come back to life. */
export async function fillLedger(client: pg.ClientBase, random: Random): Promise<void> {
  const { rowCount } = await client.query('update workers set last_heartbeat = now()');
  if (rowCount !== 0) return;
  await addWorkers(client, bounds.workers);
  for (let count = 0; count < bounds.waiting; count += 1) await addExperiment(client, random);
  for (let count = 0; count < 3; count += 1) await breakExperiment(client, 'stuck');
  await client.query(`update experiment_queue set attempts = max_attempts - 1
    where id = (select min(id) from experiment_queue where status = 'running')`);
  for (let count = 0; count < 2; count += 1) await breakExperiment(client, 'leak', random);
  await killWorker(client);
}

/**
 * One second in the life of the ledger: workers beat, experiments begin and end, and at a steady pace something breaks. What
 * becomes broken when depends on the seed and the number of the second alone.
 */
export async function advanceLedger(client: pg.ClientBase, random: Random, second: number): Promise<void> {
  await client.query('begin');
  try {
    await client.query(
      `update workers set last_heartbeat = now()
       where last_heartbeat > now() - interval '60 seconds' or last_heartbeat < now() - make_interval(secs => $1)`,
      [600 + pace.deadForSeconds],
    );
    await workOn(client, random);
    if (second % pace.stuckEvery === 1) await breakExperiment(client, 'stuck');
    if (second % pace.leakEvery === 2) await breakExperiment(client, 'leak', random);
    if (second % pace.deathEvery === 3) await killWorker(client);
    await client.query(
      `delete from experiment_queue where id in (select id from experiment_queue
        where status in ('done', 'failed', 'dead') order by id desc offset ${bounds.ended})`,
    );
    await client.query(
      `delete from gardener_runs where id in (select id from gardener_runs order by id desc offset ${bounds.audited})`,
    );
    await client.query('commit');
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

/** Changes how many workers there are, as a scale of their Deployment would; the one that lives longest stays. */
export async function scaleWorkers(client: pg.ClientBase, wanted: number): Promise<void> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from workers where last_heartbeat > now() - interval '5 minutes'`,
  );
  const missing = wanted - (rows[0]?.count ?? 0);
  if (missing > 0) await addWorkers(client, missing);
  await client.query(
    `delete from workers where id in (select id from workers
      where last_heartbeat > now() - interval '5 minutes' order by railway_svc_name offset $1)`,
    [wanted],
  );
}

/** Numbered on from the last one, so that the same ledger has the same workers. */
async function addWorkers(client: pg.ClientBase, count: number): Promise<void> {
  await client.query(
    `insert into workers
     select md5('scarab-worker-' || number)::uuid, 'acc-' || number % 2, 'scarab-worker-' || number, now()
     from (select coalesce(max(split_part(railway_svc_name, '-', 3)::integer), 0) as last from workers) as before,
       generate_series(last + 1, last + $1::integer) as number`,
    [count],
  );
}

async function addExperiment(client: pg.ClientBase, random: Random): Promise<void> {
  const lane = lanes[Math.floor(random() * lanes.length)];
  const seed = Math.floor(random() * 10_000);
  await client.query('insert into experiment_queue (canon_name, seed) values ($1, $2)', [`${lane}-s${seed}`, seed]);
}

/** Ends what has been running for some seconds, begins what is due, and adds what is missing. */
async function workOn(client: pg.ClientBase, random: Random): Promise<void> {
  await client.query(
    `update experiment_queue set status = 'done', finished_at = now(), final_bpb = $1
     where id in (select id from experiment_queue
       where status = 'running' and started_at between now() - interval '1 hour' and now() - interval '5 seconds'
       order by id limit 1 for update skip locked)`,
    [1.2 + random()],
  );
  await client.query(
    `update experiment_queue set status = 'running', claimed_at = now(), started_at = now(), worker_id =
       (select id from workers order by last_heartbeat desc, id limit 1)
     where id in (select id from experiment_queue
       where status in ('pending', 'ready') and scheduled_at <= now() order by id limit 1 for update skip locked)`,
  );
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from experiment_queue where status in ('pending', 'ready')`,
  );
  if ((rows[0]?.count ?? 0) < bounds.waiting) await addExperiment(client, random);
}

/** Takes the next experiment that waits, and lets it hang for hours, or end with a result that cannot be. */
async function breakExperiment(
  client: pg.ClientBase,
  how: 'stuck' | 'leak',
  random: Random = () => 0.5,
): Promise<void> {
  const next = `where id = (select id from experiment_queue where status = 'pending' and attempts < max_attempts
      and (select count(*) from experiment_queue where status = 'running') < ${bounds.running}
    order by scheduled_at, id limit 1 for update skip locked)`;
  if (how === 'leak') {
    const finished = `update experiment_queue set status = 'done', started_at = now(), finished_at = now(), final_bpb = $1`;
    await client.query(`${finished} ${next}`, [0.001 + random() / 20]);
    return;
  }
  await client.query(
    `update experiment_queue set status = 'running', claimed_at = now() - interval '7 hours',
       started_at = now() - interval '7 hours', worker_id = (select id from workers order by last_heartbeat, id limit 1)
     ${next}`,
  );
}

/** One worker at a time: another dies only when the one before is back. */
async function killWorker(client: pg.ClientBase): Promise<void> {
  await client.query(
    `update workers set last_heartbeat = now() - interval '10 minutes'
     where id = (select id from workers order by last_heartbeat desc, railway_svc_name limit 1)
       and not exists (select 1 from workers where last_heartbeat < now() - interval '5 minutes')`,
  );
}
