import type { Command } from 'commander';
import { locateStateDir } from '../../dev/state.ts';
import { handle } from '../command.ts';
import type { CommonOptions, Handler } from '../command.ts';
import { requireSet } from '../definition-files.ts';
import { serveDev } from '../dev-session.ts';
import { defaultDefinitions } from '../settings.ts';

/** The definition that the example target serves. */
const demonstratedId = 'the-custodian.state-hub-consistency-sweep';
/** The definition by which the product accounts for its own ticks. */
const ownId = 'actcore.reconcile-ticks';

interface DevCommandOptions extends CommonOptions {
  anyPorts?: boolean;
}

export function addDev(program: Command, signal: AbortSignal): void {
  const command = program
    .command('dev')
    .summary('run everything here: Temporal, Postgres, a worker and an example')
    .description(
      'Run everything on this machine until Ctrl-C: Temporal with its UI, Postgres, a worker, the example State Hub and the ' +
        'definitions; one canary at the start shows what a run looks like. State is kept in .actcore/.',
    )
    .argument('[paths...]', 'definition files or folders', [defaultDefinitions])
    .option('--any-ports', 'take any free ports rather than the usual ones');
  const serve: Handler<DevCommandOptions> = async (session, { anyPorts }, args) => {
    const paths = args.length > 0 ? args : [defaultDefinitions];
    const set = await requireSet(paths, session.output);
    await serveDev(session, {
      ...{ paths, set },
      demonstrated: set.definitions.find(({ id }) => id === demonstratedId),
      ownWork: set.definitions.find(({ id }) => id === ownId),
      ports: anyPorts === true ? 'any' : 'usual',
      stateDir: locateStateDir(session.env, process.cwd()),
    });
  };
  handle(command, signal, serve, { drains: true });
}
