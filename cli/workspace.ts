import { hostname } from 'node:os';
import type { Signature } from '../history/journal.ts';
import type { Settings } from './settings.ts';

/** Who signs what a command changes: the actor, the command, and the machine and folder it runs in. */
export function signAs(command: string, { actor }: Settings): Signature {
  return { actor, source: command, workspace: `${hostname()}:${process.cwd()}` };
}
