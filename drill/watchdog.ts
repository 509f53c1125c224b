import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { applyFiles } from './definitions.ts';
import { openLedger } from './ledger-life.ts';
import type { LedgerLife } from './ledger-life.ts';
import type { Result } from './result.ts';
import { strikeRemedies } from './remedy-strikes.ts';
import type { Strike } from './remedy-strikes.ts';
import { accountAll, awaitCompleted, playScene } from './scene.ts';
import type { DrillOptions, Scene } from './scene.ts';
import type { Stage } from './stage.ts';
import { accountTriplets } from './triplets.ts';
import type { TripletAccount } from './triplets.ts';

const definition = { id: 'scarab.ledger-watchdog', everyMs: 30_000 };
const file = fileURLToPath(new URL(`../../activity-definitions/${definition.id}.md`, import.meta.url));
const ticks = 10;
const fewestTicks = 4;
const steadyPatienceMs = 120_000;
/** A run that was killed is given up after 15 s, and the tick after next is sure to come to all that is left. */
const recoveryPatienceMs = 180_000;

/**
 * The ledger watchdog against a generator that breaks rows: two workers, of which one is killed inside a remedy now and then,
 * and runs by hand that come while another is at work.
 */
export function playWatchdog(stage: Stage, options: DrillOptions): Promise<Result> {
  return playScene('watchdog', stage, options, async (scene) => {
    const ledger = await openLedger(stage);
    Object.assign(scene.around.environment, ledger.environment);
    try {
      return await watch(scene, ledger);
    } finally {
      await ledger.close();
    }
  });
}

async function watch(scene: Scene, ledger: LedgerLife): Promise<Omit<Result, 'scenario' | 'tookMs'>> {
  const { stage, around, options, say } = scene;
  await Promise.all([scene.startWorker(), scene.startWorker()]);
  await applyFiles(around, [{ id: definition.id, text: await readFile(file, 'utf8') }]);
  const sinceMs = Date.now();
  const faults: string[] = [];
  const endLife = ledger.begin();
  let strikes: Strike[];
  try {
    const first = { sinceMs, atLeast: () => 1, patienceMs: steadyPatienceMs };
    for (const id of await awaitCompleted(scene, [definition], first)) faults.push(`${id} did not complete`);
    scene.weigh();
    const count = Math.max(fewestTicks, Math.round(ticks * options.scale));
    strikes = await strikeRemedies(scene, ledger.pool, definition, count - 1);
  } finally {
    await endLife();
  }
  say('nothing breaks any more, waiting for two completed runs');
  const last = { sinceMs: Date.now(), atLeast: () => 2, patienceMs: recoveryPatienceMs };
  for (const id of await awaitCompleted(scene, [definition], last)) faults.push(`${id} did not recover`);
  const accounts = await accountAll(scene, [definition], { sinceMs, mayGoUnheard: true });
  const triplets = await accountTriplets(ledger.pool, stage.history, definition.id);
  const skipped = await countLockSkipped(stage);
  const memory = scene.memory();
  const acted = await listActed(ledger);
  const kills = strikes.flatMap(({ kind, run }) => (run === undefined ? [] : [{ kind, isDone: acted.has(run) }]));
  // What was held in its commit goes through, all else is rolled back.
  const unexpected = kills.filter(({ kind, isDone }) => isDone !== (kind === 'commit'));
  faults.push(...triplets.faults, ...judgeStrikes(strikes, skipped));
  faults.push(
    ...unexpected.map(({ kind, isDone }) => `killed at ${kind}, and the remedy was ${isDone ? '' : 'not '}made`),
  );
  return { accounts, memory, notes: describe(triplets, kills, skipped), faults };
}

/** Runs by hand of which another run was in the way. */
async function countLockSkipped({ history }: Stage): Promise<number> {
  const { rowCount } = await history.query(
    `SELECT FROM actcore.runs WHERE definition_id = $1 AND trigger = 'manual' AND outcome = 'lock_skipped'`,
    [definition.id],
  );
  return rowCount ?? 0;
}

function judgeStrikes(strikes: Strike[], skipped: number): string[] {
  const contests = strikes.filter(({ kind }) => kind === 'contest').length;
  return [
    ...strikes.flatMap(({ kind, fault }) => (fault === undefined ? [] : [`${kind}: ${fault}`])),
    ...(skipped === contests ? [] : [`of ${contests} runs by hand that met another one ${skipped} were lock_skipped`]),
  ];
}

/** The runs that have changed something. */
async function listActed({ pool }: LedgerLife): Promise<Set<string>> {
  const { rows } = await pool.query<{ run: string }>('SELECT DISTINCT run FROM drill.acts');
  return new Set(rows.map(({ run }) => run));
}

function describe(
  { episodes, acts, triplets }: TripletAccount,
  kills: { kind: string; isDone: boolean }[],
  skipped: number,
): string[] {
  const told = kills.map(({ kind, isDone }) => `${kind}: ${isDone ? 'both' : 'neither'}`);
  return [
    `${episodes} episodes, ${acts} repairs, ${triplets.ledger} triplets in the ledger and ${triplets.history} in the history`,
    `${kills.length} workers killed inside remedies; repair and triplet there afterwards (${told.join(', ')})`,
    `${skipped} runs by hand met another at work and were lock_skipped`,
  ];
}
