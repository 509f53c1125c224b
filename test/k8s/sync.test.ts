import { randomBytes } from 'node:crypto';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { observeSchedule } from '../../schedules/observe.ts';
import { runActcore, writeFolder } from '../cli/support/actcore.ts';
import { readServerFault } from '../../schedules/server-fault.ts';
import { deleteSchedules } from '../cli/support/made-schedules.ts';
import { createTestDatabase, readTestSetting } from '../support/database.ts';
import type { TestDatabase } from '../support/database.ts';
import { writeDefinition } from '../support/definitions.ts';
import { eventually } from '../support/eventually.ts';
import { kubectl, listObjects, mustKubectl } from './support/kubectl.ts';
import { copyManifests } from './support/manifest-folder.ts';
import { awaitPod, readStart, runStart } from './support/pod-process.ts';
import type { PodStart } from './support/pod-process.ts';

const missing = process.env['ACTCORE_TEST_NO_CLUSTER'];
const reason = missing === undefined ? '' : ` (skipped: ${missing})`;

const ids = [
  'actcore.reconcile-ticks',
  'actcore.retention',
  'scarab.ledger-watchdog',
  'the-custodian.state-hub-consistency-sweep',
];
const hubFile = 'activity-definitions/the-custodian.state-hub-consistency-sweep.md';

describe.skipIf(missing !== undefined)(`what the Jobs on a real API server would run${reason}`, () => {
  const manifests = copyManifests();
  const settings = {
    TEMPORAL_ADDRESS: readTestSetting('ACTCORE_TEST_TEMPORAL_ADDRESS'),
    TEMPORAL_NAMESPACE: 'default',
    ACTCORE_TASK_QUEUE: `queue-${randomBytes(4).toString('hex')}`,
  };
  const { folder, namespace } = manifests.wrap('k8s', settings);
  let database: TestDatabase;
  let connection: Connection;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    connection = await Connection.connect({ address: settings.TEMPORAL_ADDRESS });
    client = new Client({ connection, namespace: settings.TEMPORAL_NAMESPACE });
    await deleteSchedules(client, ids);
    await mustKubectl(['create', 'namespace', namespace]);
    await writeSecret(['worker-url', 'operator-url', 'migrator-url']);
  });
  afterAll(async () => {
    await deleteSchedules(client, ids);
    await kubectl(['delete', 'namespace', namespace, '--wait=false']);
    await connection.close();
    await database.drop();
  });

  const writeSecret = (keys: string[]) => {
    const stringData = Object.fromEntries(keys.map((key) => [key, database.url]));
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'actcore-database', namespace }, stringData };
    return mustKubectl(['apply', '--filename', '-'], JSON.stringify(secret));
  };
  /** Applies the manifests as they are now; the Jobs of that name that this has made. */
  const apply = async (): Promise<string[]> => {
    const printed = await mustKubectl(['apply', '-k', folder]);
    return [...printed.matchAll(/^job\.batch\/(\S+) created$/gm)].map(([, name = '']) => name);
  };
  const startOf = async (job = ''): Promise<PodStart> => readStart(namespace, await awaitPod(namespace, job));
  /** A busy server may take longer to describe what has just changed than it allows itself. */
  const observeOne = (id: string) => {
    const ask = () =>
      observeSchedule(client, id).catch((error: unknown) => {
        if (readServerFault(error)?.isUnreachable !== true) throw error;
        return undefined;
      });
    return eventually(ask, { withinMs: 50_000, what: id });
  };
  const observe = async () => {
    const found = await Promise.all(ids.map(observeOne));
    return found.map(({ id, digest, paused, changedAt }) => ({ id, digest, paused, changedAt }));
  };
  const jobOf = (jobs: string[], name: string) => jobs.find((job) => job.startsWith(`${name}-`));
  let sync: PodStart;

  it('actcore-sync waits for what actcore-migrate makes, then makes every schedule, held until its canary', async () => {
    const jobs = await apply();
    expect(jobs).toHaveLength(2);
    sync = await startOf(jobOf(jobs, 'actcore-sync'));
    const migrate = await startOf(jobOf(jobs, 'actcore-migrate'));
    const { promise: synced, waits } = startWaiting(sync);
    await Promise.race([waits, synced]);
    const migrated = await runStart(migrate);
    expect(migrated).toMatchObject({ exitCode: 0 });
    expect(migrated.stdout).toMatch(/^applied 001/);
    const ended = await synced;
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(ended.stderr).toContain('waiting: The history lacks');
    for (const id of ids)
      expect(ended.stdout).toContain(`+ create ${id} (paused)\n    held until a canary of this contract`);
    expect(await observe()).toMatchObject(ids.map((id) => ({ id, paused: true })));
  }, 90_000);

  it('a second run changes nothing, nor do two at once, and list works where the Job runs', async () => {
    const before = await observe();
    expect((await runStart(sync)).stdout).toMatch(/^4 unchanged$/m);
    const both = await Promise.all([runStart(sync), runStart(sync)]);
    for (const ended of both) {
      expect(ended).toMatchObject({ exitCode: 0 });
      expect(ended.stdout).toMatch(/^4 unchanged$/m);
    }
    expect(await observe()).toEqual(before);
    const listed = await runStart(sync, { change: ([node = '', program = '']) => [node, program, 'list'] });
    expect(listed).toMatchObject({ exitCode: 0 });
    for (const id of ids) expect(listed.stdout).toContain(id);
  }, 90_000);

  it('the same manifests start no Job; a changed definition starts one, which updates that schedule and no other', async () => {
    expect(await apply()).toEqual([]);
    manifests.edit(hubFile, (text) =>
      text.replace('title: State Hub consistency sync', 'title: State Hub, brought into line'),
    );
    const jobs = await apply();
    expect(jobs).toHaveLength(1);
    const before = await observe();
    const ended = await runStart(await startOf(jobOf(jobs, 'actcore-sync')));
    expect(ended).toMatchObject({ exitCode: 0 });
    expect(ended.stdout).toMatch(/^1 updated, 3 unchanged$/m);
    const after = await observe();
    const changed = after.filter((one, index) => one.changedAt !== before[index]?.changedAt).map(({ id }) => id);
    expect(changed).toEqual(['the-custodian.state-hub-consistency-sweep']);
  }, 60_000);

  it('definitions that do not lint fail the Job with the place in its log, and change nothing', async () => {
    const good = readFileSync(join(manifests.root, hubFile), 'utf8');
    manifests.edit(hubFile, (text) =>
      text.replace('cron: "*/15 * * * *", timezone', 'cron: "*/15 25 * * *", timezone'),
    );
    const before = await observe();
    const jobs = await apply();
    const ended = await runStart(await startOf(jobOf(jobs, 'actcore-sync')));
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(
      /definitions\/the-custodian\.state-hub-consistency-sweep\.md:\d+:\d+: error: hour 25 is out of range/,
    );
    expect(await observe()).toEqual(before);
    // One that exits with 1 is not tried again.
    const [job] = await listObjects('jobs', namespace, `--field-selector=metadata.name=${jobs[0]}`);
    expect(job?.spec.podFailurePolicy.rules[0]).toMatchObject({ action: 'FailJob', onExitCodes: { values: [1] } });
    writeFileSync(join(manifests.root, hubFile), good);
  }, 60_000);

  it('a Temporal that is not there is waited for, and its address told', async () => {
    const file = join(folder, 'settings.env');
    copyFileSync(file, `${file}.good`);
    writeFileSync(file, readFileSync(file, 'utf8').replace(settings.TEMPORAL_ADDRESS, '127.0.0.1:1'));
    const jobs = await apply();
    expect(jobs).toHaveLength(2);
    const start = await startOf(jobOf(jobs, 'actcore-sync'));
    const ended = await runStart(start, { change: (args) => args.map((arg) => (arg === '10m' ? '12s' : arg)) });
    expect(ended.exitCode).toBe(3);
    expect(ended.stderr).toContain('waiting: Temporal does not answer at 127.0.0.1:1\n');
    copyFileSync(`${file}.good`, file);
  }, 60_000);

  it('a set over the limit of one ConfigMap is rendered as several, and lies in one folder for the Job', async () => {
    const texts = Object.fromEntries(
      Array.from({ length: 45 }, (_, index) => {
        const text = writeDefinition(`test.big-${index}`);
        return [`${index}.md`, `${text}\n\n${'A word more. '.repeat(2_200)}\n`];
      }),
    );
    expect(Object.values(texts).join('').length).toBeGreaterThan(1_048_576);
    const rendered = await runActcore(['render', 'k8s', writeFolder(texts), '--namespace', namespace]);
    expect(rendered).toMatchObject({ exitCode: 0 });
    const printed = await mustKubectl(['apply', '--filename', '-'], rendered.stdout);
    expect(printed.match(/^configmap\/\S+ created$/gm)?.length).toBeGreaterThan(4);
    const settingsMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'actcore-settings', namespace } };
    await mustKubectl(['apply', '--filename', '-'], JSON.stringify({ ...settingsMap, data: settings }));
    const [, job] = /^job\.batch\/(\S+) created$/m.exec(printed) ?? [];
    const start = await startOf(job);
    expect(start.mounts['/etc/actcore/definitions']).toEqual(texts);
    const linted = await runStart(start, {
      change: ([node = '', program = '', ...args]) => [node, program, 'lint', args.at(-1) ?? ''],
    });
    expect(linted).toMatchObject({ exitCode: 0 });
    expect(linted.stdout).toContain('45');
  }, 60_000);

  it('without its key in the Secret the container is not created; without the variable the program says which', async () => {
    await mustKubectl(['delete', 'secret', 'actcore-database', '--namespace', namespace]);
    await writeSecret(['worker-url']);
    const [pod] = await listObjects('pods', namespace, '--selector=app.kubernetes.io/name=actcore-sync');
    await expect(readStart(namespace, pod!)).rejects.toThrow(
      `couldn't find key operator-url in Secret ${namespace}/actcore-database`,
    );
    const { ACTCORE_DATABASE_URL: _, ...env } = sync.env;
    const ended = await runStart({ ...sync, env });
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toContain('No history is configured');
    await writeSecret(['worker-url', 'operator-url', 'migrator-url']);
  }, 60_000);
});

/** Runs it; `waits` resolves when it says that it waits for the tables. */
function startWaiting(start: PodStart) {
  let tell = () => {};
  const waits = new Promise<void>((resolve) => (tell = resolve));
  const onNote = (note: string) => {
    if (note.includes('waiting: The history lacks')) tell();
  };
  return { promise: runStart(start, { onNote }), waits };
}
