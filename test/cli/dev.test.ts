import { join } from 'node:path';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { readRunningStack } from '../../dev/state.ts';
import type { RunRow } from '../../history/queries.ts';
import { eventually } from '../support/eventually.ts';
import { findProcesses, listens } from '../support/probe.ts';
import { actcoreCommand, checkout } from '../support/program.ts';
import { makeTempFolder } from '../support/temp-folder.ts';
import { slackMs } from '../support/slack.ts';

const serving = 'Ctrl-C stops everything';

/** Runs the program from the sources, away from the servers of the suite. */
function actcore(stateDir: string, ...args: string[]) {
  const env = {
    ACTCORE_STATE_DIR: stateDir,
    ACTCORE_ACTOR: 'newcomer',
    TEMPORAL_ADDRESS: '',
    ACTCORE_DATABASE_URL: '',
  };
  const [node, ...rest] = actcoreCommand;
  return execa(node, [...rest, ...args], { cwd: checkout, env, reject: false });
}

/** Starts everything, and waits until the canary has been shown. */
async function startDev(stateDir: string) {
  const child = actcore(stateDir, 'dev', '--any-ports');
  let seen = '';
  child.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
  const ended = child.then(({ stderr }) => Promise.reject(new Error(`it ended before it served: ${stderr}`)));
  await Promise.race([eventually(async () => seen.includes(serving), { withinMs: 90_000, what: 'serving' }), ended]);
  ended.catch(() => {});
  return { child, seen };
}

/** Every port that the running stack listens on. */
function portsOf(stateDir: string): number[] {
  return readRunningStack(stateDir)?.servers.flatMap(({ port }) => port ?? []) ?? [];
}

it('brings everything up with canaries to see, refuses a second start, and leaves nothing behind', async () => {
  const stateDir = join(makeTempFolder(), 'state');
  const first = await startDev(stateDir);
  expect(first.seen).toContain('+ create the-custodian.state-hub-consistency-sweep');
  expect(first.seen).toMatch(/outcome +completed in .*: the target answered 200 and reported \d+ assessment failures/);
  expect(first.seen).toMatch(/^cinder +C-01 /m);
  expect(first.seen).toMatch(/^fjord +C-06 /m);
  // The gate asks for the canary that the start has just run.
  expect(first.seen).toMatch(/Canary of [^]*outcome [^]*\+ create the-custodian[^]*\n4 created\n/);
  // The watchdog first only looks; then it cures what it may, and proposes the rest.
  expect(first.seen).toMatch(
    /Canary of scarab\.[^]*, which only looks:\noutcome +completed in .*: 4 checks, \d+ findings \(\d+ proposed\)/,
  );
  expect(first.seen).toMatch(
    /Canary of scarab[^,\n]*:\noutcome +completed in .*: 4 checks, \d+ findings \(\d+ cured, \d+ proposed\)/,
  );
  expect(first.seen).toContain('+ create scarab.ledger-watchdog');
  expect(first.seen).toMatch(/Canary of actcore\.reconcile-ticks: completed: [^]*\+ create actcore\.reconcile-ticks\n/);
  expect(first.seen).toMatch(/Canary of actcore\.retention: completed: [^]*\+ create actcore\.retention\n/);
  const rows = [...first.seen.matchAll(/^row +([0-9a-f-]{36})/gm)].map(([, row]) => row);
  const ports = portsOf(stateDir);
  expect(ports).toHaveLength(4);
  expect(first.seen).toContain('A local timer fires the-custodian.state-hub-consistency-sweep at the same ticks');
  expect(readRunningStack(stateDir)?.servers.map(({ name }) => name)).toContain('local_timer');

  const { stdout } = await actcore(stateDir, 'runs', '--json');
  const { runs } = JSON.parse(stdout) as { runs: RunRow[] };
  const canaries = runs
    .filter(({ trigger, definitionId }) => trigger === 'canary' && !definitionId.startsWith('actcore.'))
    .reverse();
  const shown = { trigger: 'canary', actor: 'newcomer', outcome: 'completed' };
  expect(canaries).toMatchObject(rows.map((id) => ({ id, ...shown })));
  expect(rows).toHaveLength(3);

  const second = await actcore(stateDir, 'dev', '--any-ports');
  expect(second.exitCode).toBe(1);
  expect(second.stderr).toContain(`A stack already runs on ${stateDir}: process ${first.child.pid}`);

  const stoppedAt = Date.now();
  first.child.kill('SIGINT');
  expect((await first.child).exitCode).toBe(0);
  expect(Date.now() - stoppedAt).toBeLessThan(10_000 + slackMs);
  expect(findProcesses(stateDir)).toEqual([]);
  expect(await Promise.all(ports.map((port) => listens(port)))).toEqual(ports.map(() => false));
}, 180_000);

it('keeps its history over a restart, also after it was killed', async () => {
  const stateDir = join(makeTempFolder(), 'state');
  const first = await startDev(stateDir);
  first.child.kill('SIGKILL');
  await first.child;
  const second = await startDev(stateDir);
  expect(second.seen).toContain('= unchanged the-custodian.state-hub-consistency-sweep');
  expect(second.seen).toContain('= unchanged actcore.reconcile-ticks');
  const { stdout } = await actcore(stateDir, 'runs', '--json');
  const { runs } = JSON.parse(stdout) as { runs: RunRow[] };
  const canaries = runs.filter(({ trigger }) => trigger === 'canary').map(({ definitionId }) => definitionId);
  expect(canaries.filter((id) => id === 'actcore.reconcile-ticks')).toHaveLength(1);
  // One that only looks, and one that acts.
  expect(canaries.filter((id) => id === 'actcore.retention')).toHaveLength(2);
  expect(canaries.filter((id) => !id.startsWith('actcore.'))).toHaveLength(6);
  second.child.kill('SIGTERM');
  expect((await second.child).exitCode).toBe(0);
  expect(findProcesses(stateDir)).toEqual([]);
}, 180_000);
