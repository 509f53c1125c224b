import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { findPrometheus, startPrometheus } from '../support/prometheus.ts';
import type { Prometheus } from '../support/prometheus.ts';
import { tryExample } from './support/try-example.ts';

const found = await findPrometheus();
const file = 'file' in found ? found.file : '';
const reason = 'missing' in found ? ` (skipped: ${found.missing})` : '';

const rules = [
  '{ alert: DiskFull, expr: "vector(1)", labels: { instance: db-1 }, annotations: { summary: less than 2 % are free } }',
  '{ alert: NoSummary, expr: "vector(1) > 0" }',
  '{ alert: NotYet, expr: "vector(1)", for: 1h, labels: { instance: db-2 } }',
  '{ alert: Quiet, expr: "vector(0) > 0" }',
  '{ alert: Watchdog, expr: "vector(1)" }',
];

describe.skipIf(file === '')(`a real Prometheus${reason}`, () => {
  let noisy: Prometheus;
  let quiet: Prometheus;
  beforeAll(async () => {
    [noisy, quiet] = await Promise.all([startPrometheus(file, rules), startPrometheus(file, rules.slice(2))]);
  });
  afterAll(() => Promise.all([noisy.stop(), quiet.stop()]));

  const tryOn = ({ url }: Prometheus) => tryExample('prometheus-firing-alerts', { PROMETHEUS_URL: url });

  it('each alert that fires is an assessment failure; one that is pending, and the Watchdog, is none', async () => {
    const report = await eventually(async () => {
      const tried = await tryOn(noisy);
      return tried.assessmentFailureCount === 2 && tried;
    });
    expect(report).toMatchObject({ outcome: 'completed', assessment: 'failed', exitCode: 0 });
    const byRule = report.assessmentFailures.toSorted((a, b) => a.rule.localeCompare(b.rule));
    expect(byRule).toEqual([
      { target: 'db-1', rule: 'DiskFull', message: 'less than 2 % are free' },
      { target: 'prometheus', rule: 'NoSummary', message: expect.stringMatching(/^firing since \d{4}-/) },
    ]);
  });

  it('no alert fires: the assessment is passed', async () => {
    // The Watchdog shows that the rules have been evaluated.
    await eventually(async () => (await (await fetch(`${quiet.url}/api/v1/alerts`)).text()).includes('Watchdog'));
    expect(await tryOn(quiet)).toMatchObject({ outcome: 'completed', assessment: 'passed', exitCode: 0 });
  });

  it('a Prometheus that is gone is an automation error, and nothing is taken for no alert', async () => {
    const url = 'http://127.0.0.1:9';
    const report = await tryExample('prometheus-firing-alerts', { PROMETHEUS_URL: url }, (text) =>
      text.replace('attempts: 3', 'attempts: 1'),
    );
    expect(report).toMatchObject({ outcome: 'automation_error', assessment: 'none', exitCode: 1 });
  });
});
