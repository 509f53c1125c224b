import type { Command } from 'commander';
import { listJournal } from '../../history/journal.ts';
import type { JournalEvent } from '../../history/journal.ts';
import { handle, withJson } from '../command.ts';
import type { CommonOptions } from '../command.ts';
import { withHistory } from '../history-service.ts';
import { fitWidth, showLine } from '../printable.ts';
import { parseCount, parseSince } from '../since.ts';
import { formatTable } from '../table.ts';

interface JournalOptions extends CommonOptions {
  since?: Date;
  limit: number;
}

export function addJournal(program: Command, signal: AbortSignal): void {
  const command = program
    .command('journal')
    .summary('list who changed what, field by field')
    .description('List who changed what, field by field, newest first. --json gives the values whole.')
    .argument('[id]', 'id of a definition; all when left out')
    .option('--since <span|time>', 'only changes since then: 90m, 72h, 7d, or an ISO time', (text) => parseSince(text))
    .option('--limit <count>', 'how many at most', parseCount, 50);
  handle<JournalOptions>(withJson(command), signal, async ({ settings, output }, { since, limit }, [entityId]) => {
    const filter = { ...(entityId === undefined ? {} : { entityId }), ...(since === undefined ? {} : { since }) };
    const events = await withHistory(settings, (pool) => listJournal(pool, { ...filter, limit }));
    output.data({ events });
    const rows = events.map((event) => [
      event.at.slice(0, 19).replace('T', ' '),
      showLine(event.actor),
      event.source,
      showLine(event.entityId),
      showLine(event.field),
      describeChange(event),
    ]);
    const head = ['AT (UTC)', 'ACTOR', 'BY', 'DEFINITION', 'FIELD', 'CHANGE'];
    output.line(events.length === 0 ? 'no changes' : formatTable(head, rows, output));
  });
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
