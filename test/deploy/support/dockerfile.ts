import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { checkout } from '../../support/program.ts';

/** What came of the steps of a Dockerfile that can be taken without a container engine. */
export interface BuiltImage {
  /** The folder that stands for the last stage's working directory. */
  folder: string;
  env: Record<string, string>;
  user: string;
  entrypoint: string[];
  command: string[];
  bases: string[];
  /** Steps that need the base image or a root filesystem. */
  unproven: string[];
}

interface Step {
  instruction: string;
  rest: string;
}

/** Reads the steps of a Dockerfile; a step may go over several lines. */
function readSteps(text: string): Step[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const joined = lines.join('\n').replaceAll(/\\\n\s*/g, '');
  return joined.split('\n').map((line) => {
    const [, instruction = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    return { instruction, rest };
  });
}

/** Takes the steps of the Dockerfile in order, each stage in a folder of its own below `root`. */
export async function takeSteps(root: string): Promise<BuiltImage> {
  const image: BuiltImage = { folder: '', env: {}, user: '', entrypoint: [], command: [], bases: [], unproven: [] };
  const stages = new Map<string, string>();
  let [stage, workdir] = ['', '/'];
  for (const { instruction, rest } of readSteps(readFileSync(join(checkout, 'Dockerfile'), 'utf8'))) {
    const folder = join(stage, workdir);
    if (instruction === 'FROM') {
      const [base = '', , name = 'last'] = rest.split(' ');
      image.bases.push(base);
      [stage, workdir, image.env] = [join(root, name), '/', {}];
      stages.set(name, stage);
    } else if (instruction === 'WORKDIR') {
      workdir = rest;
      mkdirSync(join(stage, workdir), { recursive: true });
    } else if (instruction === 'COPY') await copy(rest, folder, stages);
    else if (instruction === 'ENV') {
      const [name = '', value = ''] = rest.split('=');
      image.env[name] = value;
    } else if (instruction === 'USER') image.user = rest;
    else if (instruction === 'ENTRYPOINT') image.entrypoint = JSON.parse(rest) as string[];
    else if (instruction === 'CMD') image.command = JSON.parse(rest) as string[];
    else if (instruction === 'RUN' && /apt-get|\/usr\//.test(rest)) image.unproven.push(rest);
    else if (instruction === 'RUN') await execa('sh', ['-c', rest], { cwd: folder, env: image.env, timeout: 240_000 });
    else if (instruction !== 'EXPOSE') throw new Error(`the test does not know how to take: ${instruction} ${rest}`);
  }
  return { ...image, folder: join(stage, workdir) };
}

async function copy(rest: string, folder: string, stages: Map<string, string>): Promise<void> {
  const from = /^--from=(\S+) /.exec(rest)?.[1];
  const words = rest.replace(/^--from=\S+ /, '').split(' ');
  const target = words.pop() ?? '.';
  if (from !== undefined) {
    const stage = stages.get(from) ?? '';
    for (const word of words) {
      const name = target === './' ? join(target, word.split('/').at(-1) ?? '') : target;
      cpSync(join(stage, word), join(folder, name), { recursive: true, verbatimSymlinks: true });
    }
    return;
  }
  const context = await listContext();
  for (const file of context.filter((name) => words.includes('.') || words.includes(name))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    cpSync(join(checkout, file), join(folder, file));
  }
}

/** What a build is sent: the files of the repository that .dockerignore does not name. */
async function listContext(): Promise<string[]> {
  const args = ['ls-files', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await execa('git', args, { cwd: checkout });
  const ignored = readFileSync(join(checkout, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const isIgnored = (file: string) =>
    ignored.some((pattern) =>
      pattern.startsWith('*.')
        ? !file.includes('/') && file.endsWith(pattern.slice(1))
        : file === pattern || file.startsWith(`${pattern}/`),
    );
  return stdout.split('\n').filter((file) => !isIgnored(file));
}
