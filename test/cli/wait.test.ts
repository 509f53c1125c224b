import { expect, it } from 'vitest';
import { openOutput } from '../../cli/output.ts';
import { Refusal, exitCodes } from '../../cli/refusal.ts';
import { awaitAnswer } from '../../cli/wait.ts';

function watch() {
  const notes: string[] = [];
  const output = { ...openOutput(false), note: (text: string) => void notes.push(text) };
  return { notes, session: { output, signal: new AbortController().signal } };
}

const away = (name: string) => new Refusal(`${name} does not answer`, undefined, exitCodes.unreachable);

it('a server that is away is waited for, and each that is told once', async () => {
  const { notes, session } = watch();
  const answers = [away('Temporal'), away('Temporal'), undefined];
  await awaitAnswer(session, 60_000, async () => {
    const answer = answers.shift();
    if (answer !== undefined) throw answer;
  });
  expect(answers).toEqual([]);
  expect(notes).toEqual(['waiting: Temporal does not answer']);
});

it('what asking again cannot change is not waited for, nor is anything when the time is over', async () => {
  const { notes, session } = watch();
  const refuse = (error: Refusal) => async () => {
    throw error;
  };
  await expect(awaitAnswer(session, 60_000, refuse(new Refusal('wrong')))).rejects.toThrow('wrong');
  await expect(awaitAnswer(session, 1, refuse(away('Temporal')))).rejects.toThrow('Temporal does not answer');
  expect(notes).toEqual([]);
});
