import type { Command } from 'commander';
import pg from 'pg';
import { migrate } from '../../history/migrate.ts';
import { createRoles, ownerRole, roles } from '../../history/roles.ts';
import type { RolesMade } from '../../history/roles.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { withHistory } from '../history-service.ts';
import type { Output } from '../output.ts';
import { Refusal } from '../refusal.ts';
import type { Settings } from '../settings.ts';
import { formatTable } from '../table.ts';
import { awaitAnswer, parseWait } from '../wait.ts';

interface MigrateOptions extends CommonOptions {
  roles?: boolean;
  wait?: number;
}

export function addMigrate(program: Command, signal: AbortSignal): void {
  const command = program
    .command('migrate')
    .summary('make or update the tables of the history')
    .description('Make or update the tables of the history. Safe to run again, and by many at once.')
    .option('--wait <span>', 'how long to wait for the history to be there: 90s, 5m', parseWait)
    .option('--roles', 'also make the roles of least privilege, and set what each may do');
  handle<MigrateOptions>(withJson(command), signal, async (session, options) => {
    const { settings, output } = session;
    if (options.wait !== undefined) await awaitAnswer(session, options.wait, () => greet(settings));
    const { applied, made } = await withHistory(settings, async (pool) => ({
      applied: await migrate(pool),
      made: options.roles === true ? await createRoles(pool).catch(explainRights) : undefined,
    }));
    output.data({ applied, ...(made === undefined ? {} : { roles: made }) });
    output.line(applied.length === 0 ? 'the history is up to date' : `applied ${applied.join(', ')}`);
    if (made !== undefined) printRoles(made, output);
  });
}

async function greet(settings: Settings): Promise<void> {
  await withHistory(settings, (pool) => pool.query('SELECT 1'));
}

function explainRights(error: unknown): never {
  if (!(error instanceof pg.DatabaseError) || error.code !== '42501') throw error;
  throw new Refusal(
    `Roles cannot be made by this user: ${error.message}`,
    'It takes a superuser, or one with CREATEROLE that owns the database and its schema actcore.',
  );
}

function printRoles({ created, handedOver }: RolesMade, output: Output): void {
  const { colors } = output;
  output.line(created.length === 0 ? 'the roles are there' : `made the roles ${created.join(', ')}`);
  if (handedOver > 0) output.line(`the schema actcore belongs to ${ownerRole} (${handedOver} objects handed over)`);
  output.line('the rights of each are set\n');
  output.line(formatTable(['ROLE', 'WHAT FOR'], Object.entries(roles), output));
  output.line(`\nGive a login one of them:\n  ${colors.cyan("CREATE ROLE worker_1 LOGIN PASSWORD '...';")}`);
  output.line(`  ${colors.cyan('GRANT actcore_worker TO worker_1;')}`);
}
