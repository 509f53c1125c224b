import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readCronJobs } from '../../importers/cronjob.ts';
import { openCluster, whyNoCluster } from '../support/kubernetes.ts';
import type { Cluster } from '../support/kubernetes.ts';
import { importAll, now, proveAll, readFixture } from './support/imported.ts';

const read = (name: string) => readCronJobs(name, readFixture('cronjobs', name), { timezone: 'UTC', now });
const all = () => [...read('batch.yaml').jobs, ...read('list.yaml').jobs];

it('at least 10 CronJobs, from several documents and from a List, and what is none is passed over', () => {
  expect([...read('batch.yaml').problems, ...read('list.yaml').problems]).toEqual([]);
  expect(all().length).toBeGreaterThanOrEqual(10);
  expect(read('list.yaml').notes).toEqual(['list.yaml: passed over what is no CronJob: 1 ConfigMap.']);
});

it('every CronJob fires for 400 days when cron-parser says so by the rules of Kubernetes', async () => {
  const proven = await proveAll(all());
  const others = proven.filter(({ proof }) => !proof.isSame);
  expect(others.map(({ id, proof }) => [id, proof.reader, proof.missing, proof.extra])).toEqual([
    // Kubernetes runs it twice on the day on which the hour comes twice.
    ['t.in-the-night', 'cron-parser', ['2027-10-31T01:30:00Z'], []],
    ['t.each-ninety-minutes', null, [], []],
  ]);
  expect(proven.length - others.length).toBeGreaterThanOrEqual(9);
}, 60_000);

it('one that only calls an API makes that call, others make the same Job through the API of Kubernetes', () => {
  const actions = Object.fromEntries(
    importAll(all()).map(({ id, action, definition }) => [id, { action, definition }]),
  );
  expect(actions['t.state-hub-sweep']).toMatchObject({
    action: {
      call: {
        request: {
          method: 'POST',
          url: 'http://state-hub.custodian.svc:8000/consistency/sweep/remote-all',
          headers: { Authorization: 'Bearer ${HUB_TOKEN}' },
        },
        secrets: ['HUB_TOKEN'],
      },
    },
    definition: { order: { budget: { maxSeconds: 300 }, misfire: { graceMs: 120_000 } } },
  });
  expect(actions['t.wget-ping']).toMatchObject({
    action: { call: { request: { method: 'GET', url: 'http://web.web.svc/cron?task=mail' } } },
  });
  const backup = actions['t.database-backup']?.action;
  expect(backup).toMatchObject({
    kind: 'job',
    call: {
      secrets: ['DATABASE_BACKUP_S3_SECRET_KEY', 'KUBERNETES_TOKEN'],
      request: { url: '${KUBERNETES_API_URL}/apis/batch/v1/namespaces/shop/jobs' },
    },
  });
  expect(JSON.stringify(backup)).not.toContain('not-a-good-place');
});

it('what differs is told', () => {
  const notes = Object.fromEntries(all().map(({ name, notes: told }) => [name, told.join(' ')]));
  expect(notes['wget-ping']).toMatch(/`concurrencyPolicy: Replace` ended the run before/);
  expect(notes['weekday-report']).toMatch(/`suspend: true`.*Without `startingDeadlineSeconds`/);
  expect(notes['weekday-report']).toMatch(/names no `timeZone`.*taken for UTC/);
  expect(notes['monthly-close']).toMatch(/below 10 s/);
});

it('every fault is told at once, with its place', () => {
  const { jobs, problems } = read('broken.yaml');
  expect(jobs).toEqual([]);
  expect(problems.map(({ line, column, message }) => `${line}:${column} ${message}`).sort()).toEqual([
    expect.stringMatching(/^10:23 cron has five fields/),
    expect.stringMatching(/^16:13 `TZ=Europe\/Berlin` cannot stand here/),
    expect.stringMatching(/^23:13 `Europe\/Berlyn` is not a time zone/),
    '27:11 the CronJob has no name',
    expect.stringMatching(/^29:13 `@reboot` is not a time/),
    expect.stringMatching(/^35:17 `L` is not a day-of-month/),
    '41:13 the CronJob has no `schedule` in text',
    expect.stringMatching(/^45:1 this is no object of Kubernetes/),
    expect.stringMatching(/^48:1 this is not YAML/),
    expect.stringMatching(/^4:27 `7`: Kubernetes knows Sunday only as 0/),
  ]);
});

const missing = whyNoCluster();

describe.skipIf(missing !== undefined)(
  `a real Kubernetes${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let cluster: Cluster;
    beforeAll(async () => {
      cluster = await openCluster();
    });
    afterAll(() => cluster.close());

    /** Whether the API server would take an object; nothing is made. */
    async function isTaken(object: Record<string, unknown>, kind: 'cronjobs' | 'jobs'): Promise<number> {
      const namespace = cluster.environment.KUBERNETES_NAMESPACE;
      const metadata = { ...(object['metadata'] as object), namespace };
      const path = `/apis/batch/v1/namespaces/${namespace}/${kind}?dryRun=All`;
      return (await cluster.ask('POST', path, { ...object, metadata })).status;
    }

    const cronJob = (schedule: string, timeZone?: string) => ({
      ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'x' } },
      spec: {
        ...{ schedule, ...(timeZone === undefined ? {} : { timeZone }) },
        jobTemplate: {
          spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'x', image: 'busybox:1.37' }] } } },
        },
      },
    });

    it('takes every CronJob of the corpus that is imported', async () => {
      const documents = parseAllDocuments(readFixture('cronjobs', 'batch.yaml')).map(
        (one) => one.toJS() as Record<string, unknown>,
      );
      for (const document of documents) expect(await isTaken(document, 'cronjobs')).toBe(201);
    });

    it.each([
      ...[
        '0 4 * * 7',
        '0 4 * * 5-7',
        '0 4 * * fri-sun',
        '0 0 4 * * *',
        'TZ=UTC 0 4 * * *',
        '@reboot',
        '0 4 L * *',
        '60 * * * *',
      ],
      ...[
        '0 4 * * 0',
        '5/20 * * * *',
        '*/90 * * * *',
        '0 4 ? * MON',
        '@hourly',
        '@every 1h30m',
        '0 4 * * 1-5/2',
        '0 4 1,15 jan *',
      ],
    ])('takes %j where importing takes it, and refuses it where that does', async (schedule) => {
      const { jobs } = readCronJobs('m', JSON.stringify(cronJob(schedule)), { timezone: 'UTC', now });
      expect(await isTaken(cronJob(schedule), 'cronjobs')).toBe(jobs.length === 1 ? 201 : 422);
    });

    it('knows the zones that importing knows', async () => {
      for (const zone of ['Europe/Berlin', 'Etc/UTC', 'Mars/Olympus', 'Europe/Berlyn']) {
        const { jobs } = readCronJobs('m', JSON.stringify(cronJob('0 4 * * *', zone)), { timezone: 'UTC', now });
        expect(await isTaken(cronJob('0 4 * * *', zone), 'cronjobs')).toBe(jobs.length === 1 ? 201 : 422);
      }
    });

    it('takes every Job that a definition would make', async () => {
      let count = 0;
      for (const { action } of importAll(all())) {
        if (action.kind !== 'job') continue;
        const run = '0198f0a0-0000-5000-8000-000000000000';
        const body = JSON.stringify(action.call.request['body'])
          .replaceAll('${run.id}', run)
          .replace('"${budget.max_seconds}"', '60');
        expect(await isTaken(JSON.parse(body) as Record<string, unknown>, 'jobs')).toBe(201);
        count += 1;
      }
      expect(count).toBeGreaterThan(6);
    });
  },
);
