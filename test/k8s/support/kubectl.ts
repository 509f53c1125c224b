import { execa } from 'execa';
import { locatePrograms } from '../control-plane/programs.ts';

/** How kubectl ended. */
export interface KubectlEnd {
  exitCode: number | undefined;
  stdout: string;
  stderr: string;
}

/** Runs kubectl against the cluster of KUBECONFIG; no exit code makes it throw. */
export async function kubectl(args: string[], input?: string): Promise<KubectlEnd> {
  const options = { reject: false, timeout: 90_000, ...(input === undefined ? {} : { input }) };
  const { exitCode, stdout, stderr } = await execa(locatePrograms().kubectl, args, options);
  return { exitCode, stdout: stdout ?? '', stderr: stderr ?? '' };
}

/** What kubectl prints, where it has to succeed. */
export async function mustKubectl(args: string[], input?: string): Promise<string> {
  const { exitCode, stdout, stderr } = await kubectl(args, input);
  if (exitCode !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A Kubernetes object, as far as a test looks into it. */
export interface KubeObject {
  kind: string;
  metadata: { name: string; labels?: Record<string, string>; ownerReferences?: { name: string }[] };
  // oxlint-disable-next-line typescript/no-explicit-any -- each kind has a shape of its own
  spec: any;
  data?: Record<string, string>;
}

/** Objects of these kinds in a namespace, as the API server has them. */
export async function listObjects(kinds: string, namespace: string, ...args: string[]): Promise<KubeObject[]> {
  const text = await mustKubectl(['get', kinds, '--namespace', namespace, '--output', 'json', ...args]);
  return (JSON.parse(text) as { items: KubeObject[] }).items;
}
