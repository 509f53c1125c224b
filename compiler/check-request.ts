import type { DeclaredVariables } from '../expressions/variables.ts';
import { checkAuth, checkHeaders } from './check-headers.ts';
import { checkTexts } from './check-texts.ts';
import { checkQuery, checkUrl } from './check-url.ts';
import { isMapping } from './mapping.ts';
import type { Path, Remark } from './remark.ts';

/**
 * Checks every placeholder, the URL, the headers and what excludes what. It takes the request as it was read, whatever
 * is wrong with it elsewhere, so that one run shows all problems; what has the wrong type is the schema's matter.
 */
export function checkRequest(request: Record<string, unknown>, parent: Path, declared: DeclaredVariables): Remark[] {
  const { url, query, headers, auth, body, form, tls } = request;
  const at = (key: string): Path => [...parent, key];
  return [
    ...(typeof url === 'string' ? checkUrl(url, at('url'), declared) : []),
    ...(isMapping(query) ? checkQuery(query, at('query'), declared) : []),
    ...(isMapping(headers) ? checkHeaders(headers, at('headers'), declared) : []),
    ...checkAuth(auth, headers, parent, declared),
    ...checkTexts(body, at('body'), declared),
    ...checkTexts(form, at('form'), declared),
    ...checkTexts(tls, at('tls'), declared),
    ...findEmpty(request, parent),
    ...checkContent(request, parent),
    ...checkEncryption(request, at('tls')),
  ];
}

/** What a section has to say at least one of. */
const contents = {
  auth: '`bearer` or `basic`',
  tls: '`ca`, or `cert` and `key`',
  expect: '`status` or `condition`',
};

function findEmpty(request: Record<string, unknown>, parent: Path): Remark[] {
  return Object.entries(contents).flatMap(([key, expected]) => {
    const section = request[key];
    if (!isMapping(section) || Object.keys(section).length > 0) return [];
    return [{ path: [...parent, key], message: `\`${key}\` says nothing; expected ${expected}` }];
  });
}

/** What is sent: nothing where the method has no body, and one thing where it has. */
function checkContent({ method, body, form }: Record<string, unknown>, parent: Path): Remark[] {
  const remarks: Remark[] = [];
  for (const [key, value] of Object.entries({ body, form })) {
    if (value === undefined || (method !== 'GET' && method !== 'DELETE')) continue;
    const message = `a ${method} request has no body`;
    remarks.push({ path: [...parent, key], atKey: true, message, hint: `use POST, or leave \`${key}\` out` });
  }
  if (body === undefined || form === undefined) return remarks;
  const message = 'a request sends `form` or `body`, and here are both';
  return [...remarks, { path: [...parent, 'form'], atKey: true, message, hint: 'keep one' }];
}

function checkEncryption({ url, tls }: Record<string, unknown>, path: Path): Remark[] {
  if (tls === undefined || typeof url !== 'string' || !/^http:/i.test(url)) return [];
  const message = 'the URL is http://, so none of these files is ever used';
  return [{ path, atKey: true, message, hint: 'write https://', isWarning: true }];
}
