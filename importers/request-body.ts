import type { HttpParts } from './http-parts.ts';
import { maskSecrets } from './secrets.ts';
import type { VariableCollector } from './request-variables.ts';

const formType = 'application/x-www-form-urlencoded';

/** Numbers of more digits do not survive being read and written as JSON. */
const longNumber = /\d{16}/;

/**
 * What is sent, as `body` or `form`. It takes the content type out of `headers` where the worker sets the same one, and
 * puts one in where the program has a default of its own.
 */
export function readBody(
  { data }: HttpParts,
  headers: Record<string, string>,
  variables: VariableCollector,
): { body: unknown } | { form: Record<string, string> } | { reason: string } {
  const typeName = Object.keys(headers).find((name) => name.toLowerCase() === 'content-type');
  const type = typeName === undefined ? undefined : headers[typeName];
  const isJson = data.some((piece) => piece.isJson) || /\bjson\b/i.test(type ?? '');
  const text = data.map((piece) => piece.text).join(data.some((piece) => piece.isJson) ? '' : '&');
  const json = isJson || /^\s*[{[]/.test(text) ? parseJson(text) : undefined;
  if (json !== undefined) {
    // JSON that curl says is a form stays that: the target may be used to it.
    if (!isJson && typeName === undefined) headers['Content-Type'] = formType;
    if (typeName !== undefined && /^application\/json(;|$)/i.test(type ?? '')) delete headers[typeName];
    return { body: hideInJson(json.value, variables, '') };
  }
  const form = isJson || typeName !== undefined ? undefined : readForm(data);
  if (form) {
    return {
      form: Object.fromEntries(
        Object.entries(form).map(([name, value]) => [
          name,
          variables.hideIfSecret(name, value, `the field \`${name}\` of the form`),
        ]),
      ),
    };
  }
  if (maskSecrets(text) !== text)
    return { reason: 'a credential stands in what it sends, which is neither JSON nor a form' };
  if (typeName === undefined) headers['Content-Type'] = isJson ? 'application/json' : formType;
  return { body: variables.note(text) };
}

function parseJson(text: string): { value: unknown } | undefined {
  if (longNumber.test(text)) return undefined;
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function hideInJson(value: unknown, variables: VariableCollector, name: string): unknown {
  if (typeof value === 'string') return variables.hideIfSecret(name, value, `the field \`${name}\` of the body`);
  if (Array.isArray(value)) return value.map((item: unknown) => hideInJson(item, variables, name));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hideInJson(item, variables, key)]));
}

/** Fields of a form, each once; undefined where the text is not one. */
function readForm(data: HttpParts['data']): Record<string, string> | undefined {
  const form: Record<string, string> = {};
  for (const { text, isEncoded } of data) {
    for (const piece of isEncoded ? [text] : text.split('&')) {
      const equals = piece.indexOf('=');
      const name = piece.slice(0, Math.max(0, equals));
      const value = isEncoded ? piece.slice(equals + 1) : decode(piece.slice(equals + 1));
      if (!/^[\w.[\]-]+$/.test(name) || value === undefined || Object.hasOwn(form, name)) return undefined;
      form[name] = value;
    }
  }
  return form;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
