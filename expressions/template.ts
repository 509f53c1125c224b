import type { JsonValue } from '../workflows/contract.ts';
import type { Fault } from './fault.ts';
import { findNameFault } from './variables.ts';
import type { DeclaredVariables } from './variables.ts';

/** A piece of a template: text as it is, or a `${name}` whose `offset` is that of its dollar sign. */
export type TemplatePart = { text: string } | { name: string; offset: number };

/** Gives the value of a variable; `undefined` where it has none. */
export type Lookup = (name: string) => string | number | undefined;

/** A variable had no value, or one that may not stand where it was put; the message never holds the value. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
  /** The `${name}` at fault; absent where the whole text is. */
  readonly variable?: string;

  constructor(message: string, variable?: string) {
    super(message);
    if (variable !== undefined) this.variable = variable;
  }
}

/** Splits a text at its placeholders. `$${` stands for the two characters `${`; an unclosed `${` is a fault. */
export function parseTemplate(text: string): { parts: TemplatePart[]; faults: Fault[] } {
  if (!text.includes('${')) return { parts: text === '' ? [] : [{ text }], faults: [] };
  const parts: TemplatePart[] = [];
  let plain = '';
  let offset = 0;
  while (offset < text.length) {
    if (text.startsWith('$${', offset)) {
      plain += '${';
      offset += 3;
      continue;
    }
    if (!text.startsWith('${', offset)) {
      const next = text.indexOf('$', offset + 1);
      plain += text.slice(offset, next === -1 ? text.length : next);
      offset = next === -1 ? text.length : next;
      continue;
    }
    const close = text.indexOf('}', offset);
    if (close === -1) {
      const fault = {
        offset,
        message: '`${` is not closed',
        hint: 'close it with `}`, or write `$${` for the text `${`',
      };
      return { parts, faults: [fault] };
    }
    if (plain !== '') parts.push({ text: plain });
    plain = '';
    parts.push({ name: text.slice(offset + 2, close), offset });
    offset = close + 1;
  }
  if (plain !== '') parts.push({ text: plain });
  return { parts, faults: [] };
}

/** A fan-out fills in the same few texts thousands of times. */
const known = new Map<string, ReturnType<typeof parseTemplate>>();
const mostKnown = 200;
const longestKnown = 4_000;

/** What `parseTemplate` gives, shared by all who ask: not to be changed. */
export function parseOnce(text: string): Readonly<ReturnType<typeof parseTemplate>> {
  const before = known.get(text);
  if (before !== undefined) return before;
  const parsed = parseTemplate(text);
  if (text.length > longestKnown) return parsed;
  if (known.size >= mostKnown) known.clear();
  known.set(text, parsed);
  return parsed;
}

/** Makes a text that renders to exactly `text`, whatever it holds. */
export function escapeTemplate(text: string): string {
  return text.replaceAll('${', () => '$${');
}

/** A text with more faults than this has one fault at its root. */
const mostFaults = 20;

/** Finds the placeholders that are unclosed or name what the definition does not declare. */
export function checkTemplate(text: string, declared: DeclaredVariables): Fault[] {
  const { parts, faults } = parseTemplate(text);
  for (const part of parts) {
    if (!('name' in part)) continue;
    const fault = findNameFault(part.name, declared);
    if (fault) faults.push({ offset: part.offset, ...fault });
    if (faults.length >= mostFaults) break;
  }
  return faults;
}

/**
 * Puts values into every text of a JSON value; keys stay as they are. A text that is one placeholder and nothing else
 * becomes the value itself, so a number stays a number.
 * @throws TemplateError where a variable has no value.
 */
export function renderTemplate(value: JsonValue, lookup: Lookup): JsonValue {
  if (typeof value === 'string') {
    const { parts } = parseOnce(value);
    const only = parts[0];
    if (parts.length === 1 && only && 'name' in only) return resolveVariable(only.name, lookup);
    return renderText(value, lookup);
  }
  if (Array.isArray(value)) return value.map((item) => renderTemplate(item, lookup));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, renderTemplate(item, lookup)]));
}

/** Renders a text to a text; `encode` is applied to each value and not to the text around it. */
export function renderText(
  text: string,
  lookup: Lookup,
  encode: (value: string, partIndex: number) => string = (value) => value,
): string {
  const { parts, faults } = parseOnce(text);
  if (faults[0]) throw new TemplateError(faults[0].message);
  let rendered = '';
  let index = 0;
  for (const part of parts) {
    rendered += 'text' in part ? part.text : encode(String(resolveVariable(part.name, lookup)), index);
    index += 1;
  }
  return rendered;
}

function resolveVariable(name: string, lookup: Lookup): string | number {
  const value = lookup(name);
  if (value === undefined) throw new TemplateError(`\`\${${name}}\` has no value`, name);
  return value;
}
