import pg from 'pg';
import { watchReasons } from './watch-reasons.ts';

/** SQL as it was sent: where the author's own text stands in it. */
export interface SentSql {
  text: string;
  /** The author's text begins here. */
  from: number;
  length: number;
  /** How the sentence names it: "its detect block". */
  block: string;
}

/**
 * What Postgres said of a statement as a sentence: what the SQLSTATE means, the message, the code, and the line of the
 * author's text where it knows one. Undefined for what is no error of the database.
 */
export function explainSqlFault(error: unknown, sent?: SentSql): string | undefined {
  if (isConnectionLoss(error)) return watchReasons.connectionLost(error.message);
  if (!(error instanceof pg.DatabaseError)) return undefined;
  const { code = '', message, detail } = error;
  const meaning = meanings[code] ?? classes[code.slice(0, 2)];
  const said = [meaning, message, detail].filter((part) => part !== undefined && part !== '').join(': ');
  const line = sent === undefined ? undefined : findLine(error.position, sent);
  return `${said} (SQLSTATE ${code}${line === undefined ? '' : `, line ${line} of ${sent?.block}`})`;
}

/** Whether the error says that the connection is gone, whoever closed it. */
export function isConnectionLoss(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const { code = '' } = error as NodeJS.ErrnoException;
  if (/^(08...|57P0[1235]|25P0[34])$/.test(code)) return true;
  return (
    /^(Connection terminated|Client has encountered a connection error|Client was closed)|not queryable/.test(
      error.message,
    ) || /^(ECONNRESET|EPIPE|ETIMEDOUT)$/.test(code)
  );
}

/** Which line of the author's text an error points at; undefined where it points at none of it. Positions count characters from 1. */
export function findLine(position: string | undefined, { text, from, length }: SentSql): number | undefined {
  const at = Number(position ?? Number.NaN) - 1 - from;
  if (!(at >= 0 && at <= length)) return undefined;
  return [...text.slice(from)].slice(0, at).filter((sign) => sign === '\n').length + 1;
}

const wrongType = 'a value is of the wrong type';

const meanings: Record<string, string> = {
  '42P01': 'there is no such table',
  '42703': 'there is no such column',
  '42883': 'there is no such function or operator for these types',
  '42501': 'permission denied',
  '42601': 'the SQL cannot be read',
  '42804': wrongType,
  '42846': wrongType,
  '22P02': wrongType,
  '22007': wrongType,
  '22008': wrongType,
  '22003': 'a number is out of range',
  '22012': 'it divides by zero',
  '42P18': 'the type of a parameter cannot be told; write a cast such as :name::interval',
  '42P08': 'the type of a parameter cannot be told; write a cast such as :name::interval',
  '25006': 'it writes, and the transaction is read-only',
  '3F000': 'there is no such schema',
  '55P03': 'a lock could not be had',
  '40P01': 'a deadlock with another transaction',
  '40001': 'another transaction changed the same rows',
  '57014': 'the statement was cancelled',
  '23505': 'a unique constraint was violated',
  '23503': 'a foreign key was violated',
  '23502': 'a column that needs a value got none',
  '23514': 'a check constraint was violated',
};

const classes: Record<string, string> = {
  '22': 'a value does not fit',
  '23': 'a constraint was violated',
  '42': 'the SQL does not fit the database',
  '53': 'the server is short of resources',
  '54': 'a limit of the server was reached',
  P0: 'a function raised an error',
};
