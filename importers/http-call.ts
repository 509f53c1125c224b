import { curlOptions } from './curl-command.ts';
import { readOptions } from './http-parts.ts';
import type { HttpParts } from './http-parts.ts';
import type { PlainCommand } from './plain-command.ts';
import { readBody } from './request-body.ts';
import { VariableCollector } from './request-variables.ts';
import type { RequestVariables } from './request-variables.ts';
import { isSecretName, isSecretText } from './secrets.ts';
import { wgetOptions } from './wget-command.ts';

/** A command as the request of a sweep. */
export interface HttpCall extends RequestVariables {
  request: Record<string, unknown>;
  maxSeconds?: number;
  attempts?: number;
  notes: string[];
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Set by the worker itself, or by the connection. */
const ownHeaders =
  /^(connection|content-length|host|idempotency-key|traceparent|transfer-encoding|accept-encoding|expect)$/i;

/** Translates a plain call of curl or wget; or says, in a sentence that begins with "it", why that cannot be. */
export function translateCommand(command: PlainCommand, base: string): HttpCall | { reason: string } {
  if ('reason' in command) return command;
  const [program = '', ...words] = command.words;
  const name = program.split('/').at(-1) ?? '';
  const applet = name === 'busybox' ? (words.shift() ?? '') : name;
  if (applet !== 'curl' && applet !== 'wget') return { reason: 'it calls no HTTP API' };
  const parts = readOptions(applet, words, applet === 'curl' ? curlOptions : wgetOptions);
  if ('reason' in parts) return { reason: `it calls an HTTP API, and ${parts.reason}` };
  const call = buildCall(parts, base);
  if ('reason' in call) return { reason: `it calls an HTTP API, and ${call.reason}` };
  const maxSeconds = Math.min(command.maxSeconds ?? Infinity, call.maxSeconds ?? Infinity);
  return {
    ...call,
    notes: [...command.notes, ...call.notes],
    ...(Number.isFinite(maxSeconds) ? { maxSeconds } : {}),
  };
}

function buildCall(parts: HttpParts, base: string): HttpCall | { reason: string } {
  const [url, ...others] = parts.urls;
  if (url === undefined) return { reason: 'names no URL' };
  if (others.length > 0)
    return { reason: 'calls several URLs: make a definition of each, or list them in `sweep.each`' };
  const variables = new VariableCollector(base);
  const address = readUrl(url, parts, variables);
  if ('reason' in address) return address;
  const hasBody = parts.data.length > 0 && !parts.isQuery;
  const method = (parts.method ?? (hasBody ? 'POST' : 'GET')).toUpperCase();
  if (!methods.includes(method)) return { reason: `its method is ${method}; a definition knows ${methods.join(', ')}` };
  if (hasBody && (method === 'GET' || method === 'DELETE')) return { reason: `sends a body with ${method}` };
  const headers = readHeaders(parts, variables);
  if ('reason' in headers) return headers;
  const body = hasBody ? readBody(parts, headers.headers, variables) : {};
  if ('reason' in body) return body as { reason: string };
  const auth = readAuth(parts, address.user, address.password, variables);
  for (const text of Object.values(parts.tls)) variables.note(text);
  const request = {
    ...{ method, url: address.url },
    ...(address.query === undefined ? {} : { query: address.query }),
    ...(Object.keys(headers.headers).length === 0 ? {} : { headers: headers.headers }),
    ...(auth === undefined ? {} : { auth }),
    ...body,
    ...(Object.keys(parts.tls).length === 0 ? {} : { tls: parts.tls }),
  };
  return {
    ...variables.list(),
    ...{ request, notes: [...parts.notes, ...headers.notes] },
    ...(parts.maxSeconds === undefined ? {} : { maxSeconds: parts.maxSeconds }),
    ...(parts.attempts === undefined ? {} : { attempts: parts.attempts }),
  };
}

type Address = { url: string; user?: string; password?: string; query?: Record<string, string> } | { reason: string };

/** What a program logs is no place for credentials: a user moves to `auth`, and a token in the query is refused. */
function readUrl(written: string, parts: HttpParts, variables: VariableCollector): Address {
  const full = /^(https?:\/\/|\$\{)/i.test(written) ? written : `http://${written}`;
  if (/^[a-z]+:\/\/[a-z]+:\/\//i.test(full) || /\s/.test(full)) return { reason: 'its URL is none that can be read' };
  const named = /^(https?:\/\/)([^/@]*)@(.*)$/i.exec(full);
  const [user, password] = (named?.[2] ?? '').split(':');
  const url = named ? `${named[1] ?? ''}${named[3] ?? ''}` : full;
  const secret = [...url.matchAll(/[?&]([^=&#]+)=([^&#]*)/g)].find(
    ([, name = '', value = '']) => isSecretName(name) || isSecretText(value),
  );
  const hint = 'which would be logged with it: let the target take it in a header';
  if (secret) return { reason: `a credential stands in its URL (\`${secret[1] ?? ''}\`), ${hint}` };
  if (isSecretText(url) || variables.holdsSecret(url)) return { reason: `a credential stands in its URL, ${hint}` };
  variables.note(url);
  const query = parts.isQuery ? readQuery(parts, variables) : undefined;
  if (query !== undefined && 'reason' in query) return query;
  return {
    url: url.replace(/#.*$/, ''),
    ...(user ? { user } : {}),
    ...(password ? { password } : {}),
    ...(query === undefined ? {} : { query: query.query }),
  };
}

function readQuery(
  { data }: HttpParts,
  variables: VariableCollector,
): { query: Record<string, string> } | { reason: string } {
  const query: Record<string, string> = {};
  for (const piece of data.flatMap(({ text, isEncoded }) => (isEncoded ? [text] : text.split('&')))) {
    const [name = '', ...value] = piece.split('=');
    const text = value.join('=');
    if (name === '' || Object.hasOwn(query, name)) return { reason: 'its query cannot be taken apart' };
    if (isSecretName(name) || isSecretText(text))
      return { reason: `a credential stands in its query (\`${name}\`), which is logged` };
    query[name] = variables.note(text);
  }
  return { query };
}

function readHeaders(
  parts: HttpParts,
  variables: VariableCollector,
): { headers: Record<string, string>; notes: string[] } | { reason: string } {
  const headers: Record<string, string> = {};
  const notes: string[] = [];
  for (const line of parts.headers) {
    const [name = '', ...rest] = line.split(':');
    const value = rest.join(':').trim();
    if (value === '' && line.endsWith(':')) continue;
    if (ownHeaders.test(name)) {
      notes.push(`The header \`${name}\` is left out: the worker sets it.`);
      continue;
    }
    const isSecret = isSecretName(name) || isSecretText(value);
    const key = Object.keys(headers).find((other) => other.toLowerCase() === name.toLowerCase());
    if (key !== undefined) return { reason: `sends the header \`${name}\` twice` };
    headers[name.trim()] = isSecret ? hideHeader(name.trim(), value, variables) : variables.note(value);
  }
  return { headers, notes };
}

function hideHeader(name: string, value: string, variables: VariableCollector): string {
  const suffix = /^authorization$/i.test(name) ? 'TOKEN' : name;
  const [, scheme, credential = ''] = /^(Bearer|Basic|Token|Digest|ApiKey)\s+(.+)$/i.exec(value) ?? [];
  if (scheme === undefined) return variables.hide(value, suffix, `the value of the header \`${name}\``);
  return `${scheme} ${variables.hide(credential, suffix, `what follows \`${scheme}\` in the header \`${name}\``)}`;
}

function readAuth(
  parts: HttpParts,
  user: string | undefined,
  password: string | undefined,
  variables: VariableCollector,
) {
  if (parts.bearer !== undefined)
    return { bearer: variables.hide(parts.bearer, 'TOKEN', 'the token of `--oauth2-bearer`') };
  const [name = '', ...rest] = (parts.user ?? user ?? '').split(/:(?![^{]*\})/);
  if (name === '') return undefined;
  const secret = parts.password ?? (rest.length > 0 ? rest.join(':') : password) ?? '';
  return {
    basic: {
      username: variables.note(name),
      password: variables.hide(secret === '' ? ' ' : secret, 'PASSWORD', `the password of \`${name}\``),
    },
  };
}
