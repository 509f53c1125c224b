import type { Fault } from '../expressions/fault.ts';
import { findHeaderFault, headerName } from '../expressions/request-line.ts';
import { checkTemplate, parseTemplate } from '../expressions/template.ts';
import type { DeclaredVariables } from '../expressions/variables.ts';
import type { Path, Remark } from './remark.ts';

/** Headers that every request gets from the worker, or that only the connection can know. */
const reservedHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'idempotency-key',
  'traceparent',
  'transfer-encoding',
]);

/**
 * Checks every placeholder, the URL and the headers. It takes the request as it was read, whatever is wrong with it
 * elsewhere, so that one run shows all problems; what has the wrong type is the schema's matter.
 */
export function checkRequest(
  request: Record<string, unknown>,
  requestPath: Path,
  declared: DeclaredVariables,
): Remark[] {
  const { method, url, headers, body } = request;
  const remarks: Remark[] = [];
  if (typeof url === 'string') remarks.push(...checkUrl(url, [...requestPath, 'url'], declared));
  if (isMapping(headers)) remarks.push(...checkHeaders(headers, [...requestPath, 'headers'], declared));
  remarks.push(...checkTexts(body, [...requestPath, 'body'], declared));
  if (body !== undefined && (method === 'GET' || method === 'DELETE')) {
    const message = `a ${method} request has no body`;
    remarks.push({ path: [...requestPath, 'body'], atKey: true, message, hint: 'use POST, or leave `body` out' });
  }
  return remarks;
}

function checkUrl(url: string, path: Path, declared: DeclaredVariables): Remark[] {
  const faults = checkTemplate(url, declared);
  const { parts } = parseTemplate(url);
  for (const part of parts) {
    if (!('name' in part) || !declared.secrets.includes(part.name)) continue;
    const message = `the secret \`\${${part.name}}\` cannot stand in the URL, which is logged on its way`;
    faults.push({ offset: part.offset, message, hint: 'send it in a header' });
  }
  if (faults.length === 0) {
    const fault = findUrlFault(url, parts.map((part) => ('text' in part ? part.text : 'x')).join(''));
    if (fault) faults.push(fault);
  }
  return faults.map((fault) => ({ path, ...fault }));
}

function findUrlFault(url: string, sample: string): Fault | undefined {
  const startsWithVariable = url.startsWith('${');
  if (!startsWithVariable && !/^https?:\/\//i.test(sample)) {
    return {
      offset: 0,
      message: `\`${url}\` is not a URL; expected http://, https:// or a variable such as \${STATE_HUB_URL} at its start`,
    };
  }
  const blank = /\s/.exec(url);
  if (blank) return { offset: blank.index, message: 'a URL has no blanks', hint: 'write `%20`' };
  const whole = startsWithVariable ? sample.replace(/^x/, 'http://x') : sample;
  if (!URL.canParse(whole)) return { offset: 0, message: `\`${url}\` is not a URL` };
  const { username, password } = new URL(whole);
  if (username === '' && password === '') return undefined;
  return {
    offset: 0,
    message: 'a URL cannot hold a user or a password, since it is logged on its way',
    hint: 'send an Authorization header',
  };
}

function checkHeaders(headers: Record<string, unknown>, parent: Path, declared: DeclaredVariables): Remark[] {
  const remarks: Remark[] = [];
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const path = [...parent, name];
    const lower = name.toLowerCase();
    const atKey = true;
    if (!headerName.test(name)) {
      remarks.push({
        path,
        atKey,
        message: `\`${name}\` is not a header name; allowed: letters, digits and !#$%&'*+-.^_\`|~`,
      });
    } else if (reservedHeaders.has(lower)) {
      remarks.push({ path, atKey, message: `the header \`${name}\` is set by the worker`, hint: 'leave it out' });
    } else if (seen.has(lower)) {
      remarks.push({ path, atKey, message: `the header \`${name}\` is here twice; upper and lower case are the same` });
    }
    seen.add(lower);
    if (typeof value !== 'string') continue;
    remarks.push(...checkTexts(value, path, declared));
    const offset = findHeaderFault(value);
    if (offset !== -1) {
      remarks.push({
        path,
        offset,
        message: `the header \`${name}\` holds a line break or a character outside Latin-1`,
      });
    }
  }
  return remarks;
}

function checkTexts(value: unknown, path: Path, declared: DeclaredVariables): Remark[] {
  if (typeof value === 'string') return checkTemplate(value, declared).map((fault) => ({ path, ...fault }));
  if (Array.isArray(value)) return value.flatMap((item, index) => checkTexts(item, [...path, index], declared));
  if (!isMapping(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const inner = [...path, key];
    const inKey: Remark[] = key.includes('${')
      ? [{ path: inner, atKey: true, message: 'a key cannot hold a placeholder; only values are rendered' }]
      : [];
    return [...inKey, ...checkTexts(item, inner, declared)];
  });
}

/** A value of the frontmatter that has keys. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
