import type { Command } from 'commander';
import { migrate } from '../../history/migrate.ts';
import { handle, withJson } from '../command.ts';
import { withHistory } from '../history-service.ts';

export function addMigrate(program: Command, signal: AbortSignal): void {
  const command = program
    .command('migrate')
    .summary('make or update the tables of the history')
    .description('Make or update the tables of the history. Safe to run again, and by many at once.');
  handle(withJson(command), signal, async ({ settings, output }) => {
    const applied = await withHistory(settings, migrate);
    output.data({ applied });
    output.line(applied.length === 0 ? 'the history is up to date' : `applied ${applied.join(', ')}`);
  });
}
