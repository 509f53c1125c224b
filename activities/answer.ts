import { storable } from '../history/storable.ts';
import type { JsonValue } from '../workflows/contract.ts';
import type { HttpResponse } from './http-client.ts';
import { rewriteJson } from './json-text.ts';
import type { Answer } from './judgement.ts';
import type { Redact } from './redaction.ts';

const startCharacters = 300;

/** Neither Postgres nor the rules can be trusted to walk deeper than this. */
const deepestJson = 200;

/** A response with its secrets taken out: as the rules judge it, and as the history keeps it (JSON text). */
export interface ReadAnswer {
  answer: Answer;
  stored: { status: number; json: string };
}

/**
 * Reads a response. The stored text is the target's own, number by number, so that those beyond 2^53 stay exact; only
 * what holds a secret, or what Postgres could not keep (NUL, lone surrogates), is written anew.
 */
export function readAnswer(response: Omit<HttpResponse, 'timing'>, redact: Redact): ReadAnswer {
  const { status } = response;
  const clean = (text: string) => storable(redact(text));
  const headers = Object.fromEntries(
    Object.entries(response.headers).map(([name, value]) => [redact(name), redact(value)]),
  );
  const json = cleanJson(response.text, clean);
  const text = json ?? clean(response.text);
  const answer = {
    status,
    headers,
    body: json === undefined ? undefined : (JSON.parse(json) as JsonValue),
    start: showStart(text),
  };
  return { answer, stored: { status, json: json ?? JSON.stringify(text) } };
}

/** Undefined where the text is not JSON, or nested too deep to be treated as such. */
function cleanJson(text: string, clean: Redact): string | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const { text: cleaned, depth } = rewriteJson(text, clean);
  return depth > deepestJson ? undefined : cleaned;
}

/** On one line, as it stands in a sentence. */
function showStart(text: string): string {
  const start = text.slice(0, 4 * startCharacters).replaceAll(/\s+/g, ' ');
  return start.trim().slice(0, startCharacters).toWellFormed();
}
