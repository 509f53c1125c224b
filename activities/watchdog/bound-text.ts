import type { JsonValue, WatchdogCheck } from '../../workflows/contract.ts';

/** A parameter's value as the text that Postgres reads, whatever type it takes it for; a list is an array literal. */
export function bindText(value: JsonValue): string | null {
  if (value === null) return null;
  if (Array.isArray(value)) return `{${value.map(quoteElement).join(',')}}`;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

/** The values of detect's parameters. */
export function bindParams({ detect, params }: Pick<WatchdogCheck, 'detect' | 'params'>): (string | null)[] {
  return detect.parameters.map((name) => bindText(params[name] ?? null));
}

function quoteElement(value: JsonValue): string {
  const text = bindText(value);
  if (text === null) return 'NULL';
  if (Array.isArray(value)) return text;
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
