import { escapeTemplate } from '../expressions/template.ts';
import { isMapping } from '../compiler/mapping.ts';
import { quoteForShell } from './exec-wrapping.ts';
import { listExecWords } from './found-job.ts';
import type { ExecWords, FoundJob, ReportAdvice } from './found-job.ts';
import { maskWords } from './mask-object.ts';

/** What a CronJob runs. */
export interface Container extends Pick<FoundJob, 'command' | 'obstacle' | 'maxSeconds' | 'notes'> {
  jobSpec: Record<string, unknown>;
  podSpec: Record<string, unknown> | undefined;
  /** Command and arguments of its one container; undefined where the image says what is run. */
  words: string[] | undefined;
  image: string;
  isAlone: boolean;
}

/** Reads the job template of a CronJob. */
export function readContainer(spec: Record<string, unknown>): Container {
  const template = isMapping(spec['jobTemplate']) ? spec['jobTemplate'] : {};
  const jobSpec = isMapping(template['spec']) ? template['spec'] : {};
  const pod = isMapping(jobSpec['template']) ? jobSpec['template'] : {};
  const podSpec = isMapping(pod['spec']) ? pod['spec'] : undefined;
  const containers = Array.isArray(podSpec?.['containers'])
    ? (podSpec['containers'] as unknown[]).filter(isMapping)
    : [];
  const isAlone = containers.length === 1 && podSpec?.['initContainers'] === undefined;
  const [first = {}] = containers;
  const image = typeof first['image'] === 'string' ? first['image'] : '';
  const [command, args] = [readWords(first['command']), readWords(first['args'])];
  const isCurl = /(^|\/)curl(images\/curl)?(:|@|$)/.test(image);
  const words =
    command === undefined ? (isCurl ? ['curl', ...(args ?? [])] : undefined) : [...command, ...(args ?? [])];
  const deadline = jobSpec['activeDeadlineSeconds'] ?? podSpec?.['activeDeadlineSeconds'];
  return {
    ...{ jobSpec, podSpec, words, image, isAlone, notes: [] },
    ...(isAlone && words !== undefined ? { command: { words: words.map(toTemplate) } } : { command: undefined }),
    ...(isAlone ? {} : { obstacle: 'it has several containers' }),
    ...(isAlone && words === undefined ? { obstacle: 'its image says what is run' } : {}),
    ...(typeof deadline === 'number' && deadline > 0 ? { maxSeconds: Math.ceil(deadline) } : {}),
  };
}

function readWords(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value.map(String) : undefined;
}

/** Kubernetes puts variables in by `$(NAME)`, in arguments as well as in commands. */
function toTemplate(word: string): string {
  return escapeTemplate(word).replaceAll(/\$\(([A-Z_][A-Z0-9_]*)\)/g, '${$1}');
}

/** A patch that puts `exec` before the command of the container; its image has to hold the program. */
export function adviseContainer(
  words: ExecWords,
  { namespace, name }: { namespace: string; name: string },
  { words: command, podSpec }: Container,
): ReportAdvice {
  const path = '/spec/jobTemplate/spec/template/spec/containers/0';
  const containers = podSpec?.['containers'];
  const first: unknown = Array.isArray(containers) ? containers[0] : undefined;
  const hasArgs = isMapping(first) && first['args'] !== undefined;
  const value = [...listExecWords(words), ...maskWords(command ?? ['COMMAND'])];
  const patch = [
    { op: 'add', path: `${path}/command`, value },
    ...(hasArgs ? [{ op: 'remove', path: `${path}/args` }] : []),
  ];
  const text = `kubectl patch cronjob ${quoteForShell(name)} -n ${quoteForShell(namespace)} --type=json -p ${quoteForShell(JSON.stringify(patch))}`;
  const what = command === undefined ? ', with what its image runs for COMMAND' : '';
  return { language: 'sh', how: `Patch it by this${what}; its image has to hold actcore`, text };
}
