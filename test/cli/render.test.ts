import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { renderManifests } from '../../cli/render-k8s.ts';
import type { Manifest } from '../../cli/render-k8s.ts';
import { writeDefinition } from '../support/definitions.ts';
import { checkout } from '../support/program.ts';
import { runActcore, writeFolder } from './support/actcore.ts';

const options = { namespace: 'actcore', image: 'activity-core' };
const fileOf = (index: number, bytes: number) => ({ key: `${index}.md`, text: `${index}\n`.padEnd(bytes, 'x') });
const partOf = { 'app.kubernetes.io/part-of': 'activity-core' };

it('the Job is the one that the manifests have', () => {
  const text = readFileSync(join(checkout, 'k8s/base/20-runtime.yaml'), 'utf8');
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  const wanted = objects.find(({ kind, metadata }) => kind === 'Job' && metadata.name === 'actcore-sync');
  const [map, job] = renderManifests([fileOf(1, 10)], options);
  const rendered = JSON.parse(JSON.stringify(job?.['spec'])) as { template: { metadata: { labels: object } } };
  const expected = wanted?.['spec'] as typeof rendered;
  expected.template.metadata.labels = { ...expected.template.metadata.labels, ...partOf };
  const named = JSON.stringify(rendered).replaceAll(`"${map?.metadata.name}"`, '"actcore-sync"');
  expect(JSON.parse(named)).toEqual(expected);
});

it('what is in it names it: another text, image or namespace makes another Job', () => {
  const nameOf = (...given: Parameters<typeof renderManifests>) => renderManifests(...given).at(-1)?.metadata.name;
  const names = [
    nameOf([fileOf(1, 10)], options),
    nameOf([fileOf(1, 11)], options),
    nameOf([fileOf(1, 10)], { ...options, image: 'activity-core:2' }),
    nameOf([fileOf(1, 10)], { ...options, namespace: 'other' }),
  ];
  expect(new Set(names).size).toBe(4);
  expect(nameOf([fileOf(1, 10)], options)).toBe(names[0]);
});

it('a set that is too big for one ConfigMap takes several, each small enough for kubectl apply, in one folder', () => {
  const files = Array.from({ length: 60 }, (_, index) => fileOf(index, 30_000));
  const manifests = renderManifests(files, options);
  const maps = manifests.slice(0, -1);
  expect(maps.length).toBeGreaterThan(1);
  for (const map of maps) expect(JSON.stringify(map).length).toBeLessThan(262_144);
  expect(maps.flatMap((map) => Object.keys(map['data'] as object))).toEqual(files.map(({ key }) => key));
  const volumes = JSON.stringify(manifests.at(-1)?.['spec']);
  for (const { metadata } of maps) expect(volumes).toContain(`{"configMap":{"name":"${metadata.name}"}}`);
  expect(new Set(maps.map(({ metadata }) => metadata.name)).size).toBe(maps.length);
});

it('the kustomization of the shipped definitions names every file, and is what render prints', async () => {
  const folder = join(checkout, 'activity-definitions');
  const kept = parse(readFileSync(join(folder, 'kustomization.yaml'), 'utf8'));
  expect(kept.configMapGenerator[0].files).toEqual(readdirSync(folder).filter((name) => name.endsWith('.md')));
  const { exitCode, stdout } = await runActcore(['render', 'kustomization', folder]);
  expect(exitCode).toBe(0);
  expect(parse(stdout)).toEqual(kept);
});

it('each text comes out of the YAML as it went in', async () => {
  const text = writeDefinition('test.rendered').replace(
    'It is swept.',
    `It is swept: "a" 'b' \t # ${'long '.repeat(60)}\n\n\n  x  `,
  );
  const { exitCode, stdout } = await runActcore(['render', 'k8s', writeFolder({ 'a.md': text })]);
  expect(exitCode).toBe(0);
  const [map] = parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
  expect(map?.['data']).toEqual({ 'a.md': text });
});

it.for([
  [
    'a definition that does not lint',
    { 'a.md': writeDefinition('test.bad', { schedule: '{ cron: "0 25 * * *" }' }) },
    'a.md:7:22: error: hour 25 is out of range',
  ],
  [
    'a name that no ConfigMap takes',
    { 'ä b.md': writeDefinition('test.odd') },
    'have no name of their own in a ConfigMap: ä b.md',
  ],
  [
    'two names that become one',
    { 'a/b.md': writeDefinition('test.one'), 'a.b.md': writeDefinition('test.two') },
    'have no name of their own in a ConfigMap: ',
  ],
] as const)('%s is refused', async ([, files, message]) => {
  const ended = await runActcore(['render', 'k8s', writeFolder(files)]);
  expect(ended).toMatchObject({ exitCode: 1, stdout: '' });
  expect(ended.stderr).toContain(message);
});
