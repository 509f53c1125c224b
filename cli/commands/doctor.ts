import type { Command } from 'commander';
import { examine } from '../../dev/doctor.ts';
import type { GivenAccess } from '../../dev/doctor-servers.ts';
import { locateStateDir } from '../../dev/state.ts';
import { handle, withJson } from '../command.ts';
import { Refusal, exitCodes } from '../refusal.ts';
import { readTemporalAccess } from '../temporal-access.ts';
import type { AccessVariables } from '../temporal-access.ts';

export function addDoctor(program: Command, signal: AbortSignal): void {
  const command = program
    .command('doctor')
    .summary('say what is on this machine and what is missing')
    .description('Say what is on this machine, what is missing, and how to get it. Changes nothing.');
  handle(withJson(command), signal, async ({ settings, output, env }) => {
    const given = describeAccess(settings.temporalAccess ?? {});
    const findings = await examine(env, locateStateDir(env, process.cwd()), given);
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

/** A fault of the settings is a finding like others. */
function describeAccess(variables: AccessVariables): GivenAccess {
  const names = Object.keys(variables);
  try {
    return { variables: names, access: readTemporalAccess(variables) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const { message: fault, advice } = error;
    return { variables: names, access: { fault, ...(advice === undefined ? {} : { advice }) } };
  }
}
