import { randomUUID } from 'node:crypto';
import { headerName, renderHeader, renderUrl } from '../expressions/request-line.ts';
import { TemplateError, parseTemplate, renderText } from '../expressions/template.ts';
import type { Lookup } from '../expressions/template.ts';
import type { Firing, JsonValue, Order, RequestTemplate } from '../workflows/contract.ts';
import type { HttpRequest } from './http-client.ts';
import { createLookup, renderBody, writeBody } from './request-values.ts';
import type { TlsFiles } from './tls-files.ts';
import type { Finding } from './watchdog/finding.ts';

/** What a request is filled in with. */
export interface RequestScope {
  order: Order;
  firing: Firing;
  /** The variables of the definition. */
  values: ReadonlyMap<string, string>;
  /** Of a fan-out: what `${target}` and `${target.FIELD}` stand for. */
  target?: JsonValue;
  /** Of a remedy: what `${finding.COLUMN}` stands for. */
  finding?: Pick<Finding, 'columns' | 'json'>;
  /** What `fixHeaders` gave for the same template. */
  headers?: Record<string, string>;
  /** The same on every attempt; begins with a UUID. */
  idempotencyKey: string;
}

/**
 * Builds a request: its template with every placeholder filled in, and the headers that every request has.
 *
 * @throws TemplateError naming what has no value, or one that may not stand there
 */
export function buildRequest(template: RequestTemplate, scope: RequestScope): HttpRequest {
  const lookup = createLookup(scope);
  const { body, contentType } = renderContent(template, scope, lookup);
  const type: Record<string, string> = contentType === undefined ? {} : { 'content-type': contentType };
  const own = scope.headers ?? renderOwnHeaders(template, lookup);
  const named = { 'idempotency-key': scope.idempotencyKey, traceparent: traceOf(scope) };
  const parsed = renderRequestUrl(template, lookup);
  return {
    method: template.method,
    url: parsed.href,
    parsed,
    // Not a spread: V8 is slow at those that add keys, and a fan-out does this for every target.
    headers: Object.assign({}, usualHeaders, type, own, named),
    ...(body === undefined ? {} : { body }),
  };
}

/**
 * Builds the request that asks how an operation goes: a GET of `url`, which may be relative to that of the request. What
 * identifies us goes only to the origin of the request: the target chose the URL, and may have chosen someone else's.
 *
 * @throws TemplateError
 */
export function buildPollRequest(template: RequestTemplate, scope: RequestScope, url: string): HttpRequest {
  const lookup = createLookup(scope);
  const own = renderRequestUrl(template, lookup).href;
  const polled = URL.canParse(url, own) ? new URL(url, own) : undefined;
  if (polled === undefined || !/^https?:$/.test(polled.protocol)) {
    throw new TemplateError('the address to poll is not an http or https URL');
  }
  refuseCredentials(polled);
  const isOwn = polled.origin === new URL(own).origin;
  const headers = renderOwnHeaders(template, lookup);
  const kept = Object.entries(headers).filter(
    ([name, value]) => !aboutContent.test(name) && (isOwn || !isCredential(name, value, template, scope)),
  );
  return {
    method: 'GET',
    url: polled.href,
    headers: { ...usualHeaders, ...Object.fromEntries(kept), traceparent: traceOf(scope) },
  };
}

/** Fills in the names of the certificate files of a request. */
export function renderTlsFiles({ tls }: RequestTemplate, scope: RequestScope): TlsFiles {
  const lookup = createLookup(scope);
  return Object.fromEntries(Object.entries(tls ?? {}).map(([field, file]) => [field, renderText(file, lookup)]));
}

const usualHeaders = { accept: 'application/json', 'user-agent': 'activity-core' };

/** Headers that say something of a body, or name the effect that it asks for. */
const aboutContent = /^(content-.*|transfer-encoding|idempotency-key|expect)$/;

const alwaysCredentials = new Set(['authorization', 'cookie', 'proxy-authorization', 'x-api-key']);

function isCredential(name: string, value: string, { headers }: RequestTemplate, scope: RequestScope): boolean {
  const { secrets } = scope.order;
  const written = Object.entries(headers).find(([header]) => header.toLowerCase() === name)?.[1] ?? '';
  const namesSecret = parseTemplate(written).parts.some((part) => 'name' in part && secrets.includes(part.name));
  const holdsSecret = secrets.some((secret) => value.includes(scope.values.get(secret)?.trim() || '\n'));
  return alwaysCredentials.has(name) || namesSecret || holdsSecret;
}

/** The headers of a template where they are the same for all targets; undefined where they are not, or cannot be rendered. */
export function fixHeaders(template: RequestTemplate, scope: RequestScope): Record<string, string> | undefined {
  const { headers, auth = null } = template;
  if (JSON.stringify([headers, auth]).includes('${target')) return undefined;
  try {
    return renderOwnHeaders(template, createLookup(scope));
  } catch (error) {
    if (error instanceof TemplateError) return undefined;
    throw error;
  }
}

function renderOwnHeaders(template: RequestTemplate, lookup: Lookup): Record<string, string> {
  return { ...renderHeaders(template, lookup), ...renderAuth(template, lookup) };
}

function renderHeaders({ headers }: RequestTemplate, lookup: Lookup): Record<string, string> {
  const rendered = Object.entries(headers).map(([name, value]) => {
    if (!headerName.test(name)) throw new TemplateError(`\`${name}\` is not the name of a header`);
    return [name.toLowerCase(), renderHeader(name, value, lookup)] as const;
  });
  return Object.fromEntries(rendered);
}

function renderAuth({ auth }: RequestTemplate, lookup: Lookup): Record<string, string> {
  if (auth === undefined) return {};
  if ('bearer' in auth) return { authorization: renderHeader('authorization', `Bearer ${auth.bearer}`, lookup) };
  const username = renderText(auth.basic.username, lookup);
  if (username.includes(':')) throw new TemplateError('the user name of auth.basic holds a colon, which ends it');
  return { authorization: `Basic ${encodeBasic(username, renderText(auth.basic.password, lookup))}` };
}

/** RFC 7617 with UTF-8. */
export function encodeBasic(username: string, password: string): string {
  return Buffer.from(`${username}:${password}`).toString('base64');
}

function renderRequestUrl({ url, query }: RequestTemplate, lookup: Lookup): URL {
  const rendered = renderUrl(url, lookup);
  refuseCredentials(rendered);
  if (rendered.hash !== '') rendered.hash = '';
  const added = query === undefined ? '' : encodePairs(query, lookup);
  if (added !== '') rendered.search = [rendered.search.slice(1), added].filter((part) => part !== '').join('&');
  return rendered;
}

function refuseCredentials({ username, password }: URL): void {
  if (username === '' && password === '') return;
  throw new TemplateError('the URL holds a user name or a password, which belong into auth.basic');
}

function encodePairs(pairs: Record<string, string | string[]>, lookup: Lookup): string {
  return Object.entries(pairs)
    .flatMap(([name, value]) => [value].flat().map((item) => `${encode(name)}=${encode(renderText(item, lookup))}`))
    .join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

function renderContent(
  { body, form }: RequestTemplate,
  scope: RequestScope,
  lookup: Lookup,
): { body?: string; contentType?: string } {
  if (form !== undefined) {
    const pairs = Object.entries(form).map(([name, value]): [string, string] => [name, renderText(value, lookup)]);
    return { body: new URLSearchParams(pairs).toString(), contentType: 'application/x-www-form-urlencoded' };
  }
  if (body === undefined) return {};
  if (scope.finding !== undefined && typeof body !== 'string') {
    return { body: writeBody(body, scope, lookup), contentType: 'application/json' };
  }
  const rendered = renderBody(body, scope, lookup);
  return typeof body === 'string' && typeof rendered === 'string'
    ? { body: rendered, contentType: 'text/plain; charset=utf-8' }
    : { body: JSON.stringify(rendered), contentType: 'application/json' };
}

/** The trace is named by the UUID that the key begins with: of the run, or of what stands for a part of it. */
function traceOf({ idempotencyKey: key }: RequestScope): string {
  const trace = key.slice(0, 8) + key.slice(9, 13) + key.slice(14, 18) + key.slice(19, 23) + key.slice(24, 36);
  // Node draws random UUIDs in bulk, which random bytes are not.
  const random = randomUUID();
  const span = random.slice(19, 23) + random.slice(24);
  return `00-${trace}-${span}-01`;
}
