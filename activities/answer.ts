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
  const read = readJson(response.text, clean);
  const text = read?.json ?? clean(response.text);
  const answer = { status, headers: redactHeaders(response.headers, redact), body: read?.body, start: showStart(text) };
  return { answer, stored: { status, json: read?.json ?? JSON.stringify(text) } };
}

/** No header holds a line break, so what is not in their lines together is in none of them. */
function redactHeaders(headers: Record<string, string>, redact: Redact): Record<string, string> {
  const entries = Object.entries(headers);
  let lines = '';
  for (const [name, value] of entries) lines += `${name}\n${value}\n`;
  if (redact(lines) === lines) return headers;
  return Object.fromEntries(entries.map(([name, value]) => [redact(name), redact(value)]));
}

/** Undefined where the text is not JSON, or nested too deep to be treated as such. */
function readJson(text: string, clean: Redact): { json: string; body: JsonValue } | undefined {
  let body: JsonValue;
  try {
    body = JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
  if (isSound(text, clean)) return { json: text, body };
  const { text: json, depth } = rewriteJson(text, clean);
  if (depth > deepestJson) return undefined;
  return { json, body: json === text ? body : (JSON.parse(json) as JsonValue) };
}

/** Most answers are small and hold nothing to rewrite: without escapes each of their strings stands in the text as it is. */
function isSound(text: string, clean: Redact): boolean {
  return text.length <= 2 * deepestJson && !text.includes('\\') && clean(text) === text;
}

/** On one line, as it stands in a sentence. */
function showStart(text: string): string {
  const start = text.slice(0, 4 * startCharacters).replaceAll(/\s+/g, ' ');
  return start.trim().slice(0, startCharacters).toWellFormed();
}
