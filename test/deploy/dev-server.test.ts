import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { execa } from 'execa';
import { expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { chooseAnyPort } from '../../dev/ports.ts';
import { obtainTemporalBinary } from '../../dev/temporal-binary.ts';
import { eventually } from '../support/eventually.ts';
import { checkout } from '../support/program.ts';
import { makeTempFolder } from '../support/temp-folder.ts';

const read = (file: string) => readFileSync(join(checkout, file), 'utf8');

/** The arguments of Temporal's dev server in the overlay for a trial. */
function readArgs(): string[] {
  const objects = parseAllDocuments(read('k8s/overlays/quickstart/temporal.yaml')).map((document) => document.toJS());
  const server = objects.find(({ kind }) => kind === 'StatefulSet');
  return server.spec.template.spec.containers[0].args as string[];
}

it("Temporal's dev server starts with the arguments of the quickstart", async () => {
  const folder = makeTempFolder();
  const [port, uiPort] = [await chooseAnyPort(), await chooseAnyPort()];
  const { path: binary } = await obtainTemporalBinary();
  const here = readArgs().map((arg) => arg.replace('0.0.0.0', '127.0.0.1').replace('/data/', `${folder}/`));
  const server = execa(binary, [...here, `--port=${port}`, `--ui-port=${uiPort}`], {
    ...{ cwd: folder, reject: false, forceKillAfterDelay: 3_000 },
    env: { HOME: folder },
  });
  let ended = false;
  void server.then(() => (ended = true));
  const ask = async () => {
    if (ended) throw new Error(`it ended: ${(await server).stderr}`);
    const connection = await Connection.connect({ address: `127.0.0.1:${port}`, connectTimeout: 1_000 }).catch(
      () => {},
    );
    await connection?.close();
    return connection !== undefined;
  };
  expect(await eventually(ask, { what: 'the dev server' })).toBe(true);
  server.kill('SIGTERM');
  await server;
});

it('the file of passwords beside compose.yaml is neither committed nor sent to a build', async () => {
  expect(read('.dockerignore').split('\n')).toContain('.env');
  const ignored = await execa('git', ['check-ignore', '.env'], { cwd: checkout, reject: false });
  expect(ignored.stdout).toBe('.env');
});

it('one machine and the quickstart start the same server, image and pragmas', () => {
  const compose = parse(read('compose.yaml'), { merge: true });
  expect(compose.services.temporal.command).toEqual(readArgs());
  expect(read('k8s/overlays/quickstart/temporal.yaml')).toContain(`image: ${compose.services.temporal.image}`);
  expect(read('k8s/overlays/quickstart/postgres.yaml')).toContain(`image: ${compose.services.postgres.image}`);
  const [image] = /activity-core:\S+/.exec(compose.services.worker.image) ?? [];
  expect(image).toBe(`activity-core:${parse(read('package.json')).version}`);
});
