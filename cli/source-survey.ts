import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { findClosestName } from '../expressions/closest-name.ts';
import { surveySources } from '../reconcile/source-ticks.ts';
import type { SourceSurvey, SurveyedSource } from '../reconcile/source-ticks.ts';
import type { Session } from './command.ts';
import { Refusal } from './refusal.ts';

/** What is surveyed for a command, from which tick on, and how old a tick must be. */
interface SurveyScope {
  id: string;
  from: Date;
  now: Date;
  settleMs: number;
}

/** Reads the ticks of all sources of a definition; refuses where it is not known, or has too many. */
export async function requireSurvey(
  { settings }: Session,
  client: Client,
  pool: pg.Pool,
  { id, from, now, settleMs }: SurveyScope,
): Promise<SourceSurvey> {
  const { taskQueue } = settings;
  const survey = await surveySources(client, pool, { id, from, settleMs, taskQueue, now });
  if (survey === undefined) {
    throw new Refusal(`Neither the server nor the history knows ${id}`, 'actcore list shows what there is.');
  }
  if ('tooMany' in survey) {
    throw new Refusal(
      `${id} has more than ${survey.tooMany.toLocaleString('en')} rows or findings in this span`,
      'Choose a shorter one, such as --since 24h.',
    );
  }
  const [fault] = survey.account.faults;
  if (fault !== undefined) throw new Refusal(`The ticks of ${id} are not known: ${fault}`);
  return survey;
}

/** The source of this name; refuses where the definition has none. */
export function requireSource({ id, sources }: SourceSurvey, name: string): SurveyedSource {
  const found = sources.find(({ source }) => source === name);
  if (found !== undefined) return found;
  const names = sources.map(({ source }) => source);
  const closest = findClosestName(name, names);
  const hint = closest === undefined ? `it has: ${names.join(', ')}` : `did you mean ${closest}?`;
  throw new Refusal(`${id} has no source ${name}; ${hint}`, 'Outside runners stand under sources: in the definition.');
}
