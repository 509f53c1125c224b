import type { Answered, Exchange } from '../activities/exchange-watch.ts';
import { indentJson } from './json-lines.ts';
import type { Colors } from './output.ts';
import { showLine, showText } from './printable.ts';

/** More of a body is cut. */
const shownLines = 40;
const shownCharacters = 4_000;
const widestLine = 400;

/** A request and its answer, marked as curl does it: `>` for what was sent, `<` for what came back. */
export function formatExchange(exchange: Exchange, colors: Colors): string {
  return [formatRequest(exchange, colors), '', formatEnd(exchange, colors)].join('\n');
}

/** The answer alone, for an exchange whose request says nothing new. */
export function formatEnd({ end, tookMs }: Exchange, colors: Colors): string {
  if ('fault' in end) return `${colors.red('!')} ${showLine(end.fault)} (after ${formatSpan(tookMs)})`;
  const { answer, text } = end;
  const isGood = answer.status >= 200 && answer.status < 300;
  const status = (isGood ? colors.green : colors.yellow)(`HTTP ${answer.status}`);
  const head = `${status} after ${formatSpan(tookMs)}${formatTiming(end)}`;
  const headers = Object.entries(answer.headers).map(
    ([name, value]) => `${colors.dim(`${showLine(name)}:`)} ${cut(value)}`,
  );
  const body = answer.body === undefined ? text : indentJson(text);
  return mark(colors.cyan('<'), [head, ...headers, ...formatBody(body, colors)]);
}

function formatRequest({ request }: Exchange, colors: Colors): string {
  const { method, url, headers, body } = request;
  const lines = Object.entries(headers).map(([name, value]) => `${colors.dim(`${name}:`)} ${cut(value)}`);
  const isJson = /json/.test(headers['content-type'] ?? '');
  const shown = body === undefined ? [] : formatBody(isJson ? indentJson(body) : body, colors);
  return mark(colors.magenta('>'), [colors.bold(`${method} ${showLine(url)}`), ...lines, ...shown]);
}

function formatTiming({ timing }: Answered): string {
  const { connectMs, tlsMs, firstByteMs, bodyMs } = timing;
  const parts = [
    ['connect', connectMs],
    ['TLS', tlsMs],
    ['first byte', firstByteMs],
    ['body', bodyMs],
  ] as const;
  const told = parts.filter(([name, tookMs]) => tookMs > 0 || name === 'first byte');
  return ` (${told.map(([name, tookMs]) => `${name} ${formatSpan(tookMs)}`).join(', ')})`;
}

function formatBody(body: string, colors: Colors): string[] {
  if (body === '') return ['', colors.dim('no body')];
  const lines = showText(body.slice(0, shownCharacters)).split('\n');
  const shown = lines.slice(0, shownLines).map((line) => line.slice(0, widestLine));
  const isCut = lines.length > shownLines || body.length > shownCharacters;
  return ['', ...shown, ...(isCut ? [colors.dim(`and so on: ${body.length} characters`)] : [])];
}

function cut(value: string): string {
  return showLine(value).slice(0, widestLine);
}

function mark(sign: string, lines: string[]): string {
  return lines.map((line) => `${sign} ${line}`.trimEnd()).join('\n');
}

/** Milliseconds as they are read beside each other; what is below one is shown as such. */
export function formatSpan(tookMs: number): string {
  if (tookMs >= 10_000) return `${(tookMs / 1_000).toFixed(1)} s`;
  return tookMs < 1 ? '<1 ms' : `${Math.round(tookMs)} ms`;
}
