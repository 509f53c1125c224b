import type { Command } from 'commander';
import { locateStateDir } from '../../dev/state.ts';
import { handle } from '../command.ts';
import type { CommonOptions, Handler } from '../command.ts';
import { requireSet } from '../definition-files.ts';
import { serveDev } from '../dev-session.ts';
import { defaultDefinitions } from '../settings.ts';

/** The definitions that the examples serve, in the order in which they are shown. */
const demonstratedIds = ['the-custodian.state-hub-consistency-sweep', 'scarab.ledger-watchdog'];
/** The definitions by which the product accounts for its own ticks and looks after its own history. */
const ownIds = ['actcore.reconcile-ticks', 'actcore.retention'];

interface DevCommandOptions extends CommonOptions {
  anyPorts?: boolean;
}

export function addDev(program: Command, signal: AbortSignal): void {
  const command = program
    .command('dev')
    .summary('run everything here: Temporal, Postgres, a worker and an example')
    .description(
      'Run everything on this machine until Ctrl-C: Temporal with its UI, Postgres, a worker, the examples and the ' +
        'definitions; canaries at the start show what runs look like. State is kept in .actcore/.',
    )
    .argument('[paths...]', 'definition files or folders', [defaultDefinitions])
    .option('--any-ports', 'take any free ports rather than the usual ones');
  const serve: Handler<DevCommandOptions> = async (session, { anyPorts }, args) => {
    const paths = args.length > 0 ? args : [defaultDefinitions];
    const set = await requireSet(paths, session.output);
    const pick = (ids: string[]) =>
      ids.flatMap((id) => set.definitions.find((definition) => definition.id === id) ?? []);
    await serveDev(session, {
      ...{ paths, set },
      demonstrated: pick(demonstratedIds),
      ownWork: pick(ownIds),
      ports: anyPorts === true ? 'any' : 'usual',
      stateDir: locateStateDir(session.env, process.cwd()),
    });
  };
  handle(command, signal, serve, { drains: true });
}
