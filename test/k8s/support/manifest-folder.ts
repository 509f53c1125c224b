import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../../support/program.ts';
import { makeTempFolder } from '../../support/temp-folder.ts';

/** A copy of the manifests and the definitions, which a test may change. */
export interface ManifestFolder {
  root: string;
  definitions: string;
  edit: (file: string, change: (text: string) => string) => void;
  /** A kustomization that puts `resource` into a namespace of its own, with settings on top where some are given. */
  wrap: (resource: string, settings?: Record<string, string>) => { folder: string; namespace: string };
}

/** Copies what `kubectl apply -k` reads. */
export function copyManifests(): ManifestFolder {
  const root = makeTempFolder();
  for (const name of ['k8s', 'activity-definitions'])
    cpSync(join(checkout, name), join(root, name), { recursive: true });
  return {
    root,
    definitions: join(root, 'activity-definitions'),
    edit(file, change) {
      const before = readFileSync(join(root, file), 'utf8');
      const after = change(before);
      if (after === before) throw new Error(`nothing was changed in ${file}`);
      writeFileSync(join(root, file), after);
    },
    wrap(resource, settings) {
      const namespace = `actcore-${randomBytes(4).toString('hex')}`;
      const folder = join(root, namespace);
      mkdirSync(folder);
      const generators =
        settings === undefined
          ? []
          : [
              { name: 'actcore-settings', behavior: 'merge', envs: ['settings.env'] },
              { name: 'actcore-sync', behavior: 'merge', files: ['settings.env'] },
              { name: 'actcore-migrate', behavior: 'merge', files: ['settings.env'] },
            ];
      const lines = Object.entries(settings ?? {}).map(([name, value]) => `${name}=${value}\n`);
      writeFileSync(join(folder, 'settings.env'), lines.join(''));
      const kustomization = { namespace, resources: [`../${resource}`], configMapGenerator: generators };
      writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
      return { folder, namespace };
    },
  };
}
