import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seedDemo } from '../../examples/state-hub/demo.ts';
import { startStateHub, type StateHub } from '../../examples/state-hub/server.ts';
import type { SweepReport } from '../../examples/state-hub/report.ts';
import { listRules, postSweep } from './support/hub.ts';
import { startTestPostgres, type TestPostgres } from './support/postgres.ts';

let postgres: TestPostgres;
let databaseUrl: string;
let dir: string;
let hub: StateHub;

beforeAll(async () => {
  postgres = startTestPostgres();
  databaseUrl = await postgres.createDatabase();
  dir = await mkdtemp(join(tmpdir(), 'state-hub-demo-'));
  await seedDemo({ dir, databaseUrl });
  hub = await startStateHub({ databaseUrl, reposDir: dir, port: 0 });
}, 60_000);

afterAll(async () => {
  await hub?.close();
  await postgres?.stop();
  if (dir !== undefined) await rm(dir, { recursive: true, force: true });
});

const standing = [
  'cinder C-01',
  'cinder C-03',
  'cinder C-04',
  'delta C-02',
  'delta C-02',
  'delta C-02',
  'delta C-02',
  'ember C-16',
  'fjord C-02',
  'fjord C-06',
];

const repaired = [
  'atlas C-05',
  'atlas C-05',
  'atlas C-15',
  'atlas C-15',
  'beacon C-07',
  'beacon C-07',
  'cinder C-05',
  'cinder C-15',
];

async function sweep(): Promise<SweepReport> {
  return (await (await postSweep(hub.url)).json()) as SweepReport;
}

test('the first sweep of the demo reports the repairs and the faults, and is no automation error', async () => {
  const report = await sweep();
  expect(listRules(report)).toEqual([...repaired, ...standing].sort());
  expect(report).toMatchObject({ status: 'completed', automation_error: null, exit_code: 0, not_reached: [] });
  const beacon = report.repos.find(({ repo }) => repo === 'beacon');
  expect(beacon).toMatchObject({ status: 'ok', pulled: true, new_commits: 1, rows_updated: 1 });
}, 30_000);

test('every later sweep reports the standing faults and nothing else', async () => {
  expect(listRules(await sweep())).toEqual([...standing].sort());
  await seedDemo({ dir, databaseUrl });
  expect(listRules(await sweep())).toEqual([...standing].sort());
}, 30_000);

test('the demo on an empty database takes the ids from the files again', async () => {
  const otherUrl = await postgres.createDatabase();
  await seedDemo({ dir, databaseUrl: otherUrl });
  const other = await startStateHub({ databaseUrl: otherUrl, port: 0 });
  const report = (await (await postSweep(other.url)).json()) as SweepReport;
  await other.close();
  expect(listRules(report).filter((pair) => pair.endsWith('C-15'))).toEqual([]);
  expect(listRules(report).filter((pair) => pair.startsWith('atlas'))).toEqual(['atlas C-05', 'atlas C-05']);
}, 30_000);
