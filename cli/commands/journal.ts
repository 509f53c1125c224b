import type { Command } from 'commander';
import { countJournal, listJournal } from '../../history/journal.ts';
import type { JournalEvent, JournalFilter, JournalStats } from '../../history/journal.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { withHistory } from '../history-service.ts';
import type { Output } from '../output.ts';
import { fitWidth, showLine } from '../printable.ts';
import { parseCount, parseSince } from '../since.ts';
import { formatTable } from '../table.ts';

interface JournalOptions extends CommonOptions {
  type?: string;
  since?: Date;
  limit: number;
  stats?: boolean;
}

export function addJournal(program: Command, signal: AbortSignal): void {
  const command = program
    .command('journal')
    .summary('list who changed what, field by field')
    .description('List who changed what, field by field, newest first. --json gives the values whole.')
    .argument('[id]', 'id of a definition, or of what else was changed; all when left out')
    .option('--type <type>', 'only of this type of entity, such as definition')
    .option('--since <span|time>', 'only changes since then: 90m, 72h, 7d, or an ISO time', (text) => parseSince(text))
    .option('--limit <count>', 'how many at most; with --stats, of actors and of days', parseCount, 50)
    .option('--stats', 'how many there are instead, by type, action, actor and day');
  handle<JournalOptions>(withJson(command), signal, async ({ settings, output }, options, [entityId]) => {
    const { type, since, limit, stats } = options;
    const filter: JournalFilter = {
      ...(entityId === undefined ? {} : { entityId }),
      ...(type === undefined ? {} : { entityType: type }),
      ...(since === undefined ? {} : { since }),
    };
    if (stats === true) {
      const counted = await withHistory(settings, (pool) => countJournal(pool, { ...filter, limit }));
      output.data(counted);
      return output.line(counted.events === 0 ? 'no changes' : formatStats(counted, output));
    }
    const events = await withHistory(settings, (pool) => listJournal(pool, { ...filter, limit }));
    output.data({ events });
    output.line(events.length === 0 ? 'no changes' : formatEvents(events, output));
  });
}

const showTime = (iso: string) => iso.slice(0, 19).replace('T', ' ');

function formatEvents(events: JournalEvent[], output: Output): string {
  const rows = events.map((event) => [
    showTime(event.at),
    showLine(event.actor),
    event.source,
    showLine(event.entityType),
    showLine(event.entityId),
    showLine(event.field),
    describeChange(event),
  ]);
  return formatTable(['AT (UTC)', 'ACTOR', 'BY', 'TYPE', 'ENTITY', 'FIELD', 'CHANGE'], rows, output);
}

function formatStats({ events, byEntityType, byAction, byActor, byDay }: JournalStats, output: Output): string {
  const count = (total: number) => total.toLocaleString('en');
  const table = (head: string[], rows: string[][]) => formatTable([...head, 'EVENTS'], rows, output);
  return [
    `${count(events)} ${events === 1 ? 'event' : 'events'}`,
    table(
      ['TYPE', 'ENTITIES'],
      byEntityType.map((one) => [showLine(one.entityType), count(one.entities), count(one.events)]),
    ),
    table(
      ['ACTION'],
      byAction.map((one) => [one.action, count(one.events)]),
    ),
    table(
      ['ACTOR', 'LAST (UTC)'],
      byActor.map((one) => [showLine(one.actor), showTime(one.lastAt), count(one.events)]),
    ),
    table(
      ['DAY (UTC)'],
      byDay.map((one) => [one.day, count(one.events)]),
    ),
  ].join('\n\n');
}

function describeChange({ action, oldJson, newJson }: JournalEvent): string {
  switch (action) {
    case 'insert':
    case 'ingest':
      return `new: ${describeValue(newJson)}`;
    case 'delete':
      return `gone: ${describeValue(oldJson)}`;
    case 'update':
      return `${describeValue(oldJson)} -> ${describeValue(newJson)}`;
  }
}

const shownColumns = 60;

function describeValue(json: string | null): string {
  const text = showLine(json === null || json === 'null' ? 'nothing' : json);
  const shown = fitWidth(text, shownColumns);
  return shown === text ? text : `${shown}…`;
}
