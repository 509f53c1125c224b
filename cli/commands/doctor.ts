import type { Command } from 'commander';
import { examine } from '../../dev/doctor.ts';
import { handle, withJson } from '../command.ts';
import { exitCodes } from '../refusal.ts';

export function addDoctor(program: Command, signal: AbortSignal): void {
  const command = program
    .command('doctor')
    .summary('say what is on this machine and what is missing')
    .description('Say what is on this machine, what is missing, and how to get it. Changes nothing.');
  handle(withJson(command), signal, async ({ output, env }) => {
    const findings = await examine(env);
    output.data({ findings });
    const { colors } = output;
    const signs = { ok: colors.green('ok     '), warning: colors.yellow('warning'), missing: colors.red('missing') };
    for (const { name, ok, found, advice } of findings) {
      output.line(`${signs[ok]}  ${name}: ${found}`);
      if (advice !== undefined) output.line(`           ${colors.cyan(advice)}`);
    }
    return findings.some(({ ok }) => ok === 'missing') ? exitCodes.failed : exitCodes.ok;
  });
}
