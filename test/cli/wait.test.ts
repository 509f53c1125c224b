import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { openOutput } from '../../cli/output.ts';
import { Refusal, exitCodes } from '../../cli/refusal.ts';
import { awaitAnswer } from '../../cli/wait.ts';
import { createRoles } from '../../history/roles.ts';
import { writeDefinition } from '../support/definitions.ts';
import { startRunner } from '../support/runner.ts';
import { envOf, startActcore, writeFolder } from './support/actcore.ts';
import { deleteSchedules } from './support/made-schedules.ts';

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

it('a login that has not been given its role yet is waited for', async () => {
  const runner = await startRunner();
  const { history, client } = runner;
  await createRoles(history);
  const login = `login_${randomUUID().slice(0, 8)}`;
  await history.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'`);
  const url = new URL(runner.databaseUrl);
  [url.username, url.password] = [login, 'secret'];
  const id = `test.${login.replace('_', '-')}`;
  const applied = startActcore(['apply', '--hold', '--wait', '40s', writeFolder({ 'a.md': writeDefinition(id) })], {
    env: { ...envOf(runner), ACTCORE_DATABASE_URL: url.href },
  });
  await new Promise<void>((resolve) => {
    applied.stderr.on('data', (chunk) => String(chunk).includes('waiting: This user may not read') && resolve());
    void applied.then(() => resolve());
  });
  await history.query(`GRANT actcore_operator TO ${login}`);
  expect(await applied).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`+ create ${id}`) });
  await deleteSchedules(client, [id]);
  await runner.close();
});
