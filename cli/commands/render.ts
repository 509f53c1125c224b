import { basename, relative, sep } from 'node:path';
import { Argument } from 'commander';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { handle, withJson } from '../command.ts';
import type { CommonOptions, Session } from '../command.ts';
import { requireSet } from '../definition-files.ts';
import { Refusal } from '../refusal.ts';
import { annotationBytes, configMapBytes, measureFile, renderManifests } from '../render-k8s.ts';
import type { RenderedFile } from '../render-k8s.ts';
import { defaultDefinitions } from '../settings.ts';
import { version } from '../version.ts';

interface RenderFlags extends CommonOptions {
  namespace: string;
  image: string;
}

/** Texts as they are, and every object in full. */
const plainYaml = { aliasDuplicateObjects: false, lineWidth: 0 };

const forms = ['k8s', 'kustomization'] as const;

export function addRender(program: Command, signal: AbortSignal): void {
  const command = program
    .command('render')
    .summary('print the definitions as what Kubernetes applies')
    .description(
      'Print a folder of definitions for Kubernetes: as ConfigMaps with the Job that applies them, or as the ' +
        'kustomization.yaml that names its files. Definitions that do not lint are refused.',
    )
    .addArgument(new Argument('<form>', 'what to print').choices(forms))
    .argument('[folder]', 'folder of definitions', defaultDefinitions)
    .option('--namespace <name>', 'namespace of the ConfigMaps and the Job', 'actcore')
    .option('--image <name>', 'image of the Job', `activity-core:${version}`);
  handle<RenderFlags>(withJson(command), signal, async (session, options, [form, folder = defaultDefinitions]) => {
    const files = await readFiles(folder, session);
    if (form === 'kustomization') printKustomization(files, session);
    else printManifests(files, options, session);
  });
}

/** A file, with where it stands below the folder. */
type PlacedFile = RenderedFile & { path: string };

async function readFiles(folder: string, { output }: Session): Promise<PlacedFile[]> {
  const { texts } = await requireSet([folder], output);
  const files = [...texts].map(([file, text]) => {
    const path = (relative(folder, file) || basename(file)).split(sep).join('/');
    return { path, key: path.replaceAll('/', '.'), text };
  });
  // What a key of a ConfigMap may be: IsConfigMapKey of k8s.io/apimachinery.
  const odd = files.filter(({ key }) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key)).map(({ path }) => path);
  const keys = files.map(({ key }) => key);
  const twice = files.filter(({ key }, index) => keys.indexOf(key) !== index).map(({ path }) => path);
  if (odd.length + twice.length > 0) {
    throw new Refusal(
      `These files have no name of their own in a ConfigMap: ${[...odd, ...twice].join(', ')}`,
      'Rename them: letters, digits, dots, dashes and underscores, each once over all folders.',
    );
  }
  return files;
}

function printManifests(files: PlacedFile[], { namespace, image }: RenderFlags, { output }: Session): void {
  const tooBig = files.filter(({ text }) => Buffer.byteLength(text) > configMapBytes - 1_024);
  if (tooBig.length > 0) {
    throw new Refusal(
      `A ConfigMap takes no file of that size: ${tooBig.map(({ path }) => path).join(', ')}`,
      `It holds ${configMapBytes} bytes in all: shorten it.`,
    );
  }
  const manifests = renderManifests(
    files.map(({ key, text }) => ({ key, text })),
    { namespace, image },
  );
  const big = files.filter((file) => measureFile(file) > annotationBytes);
  if (big.length > 0) {
    output.note(
      `${big.map(({ path }) => path).join(', ')}: too big for kubectl apply; say kubectl apply --server-side`,
    );
  }
  output.data({ apiVersion: 'v1', kind: 'List', items: manifests });
  output.line(
    manifests
      .map((manifest) => stringify(manifest, plainYaml))
      .join('---\n')
      .trimEnd(),
  );
}

function printKustomization(files: PlacedFile[], { output }: Session): void {
  const listed = files.map(({ key, path }) => (key === path ? path : `${key}=${path}`));
  const kustomization = {
    ...{ apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' },
    configMapGenerator: [{ name: 'actcore-sync', files: listed }],
  };
  output.data(kustomization);
  output.line(stringify(kustomization).trimEnd());
}
