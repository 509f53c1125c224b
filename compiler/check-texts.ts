import { checkTemplate } from '../expressions/template.ts';
import type { DeclaredVariables } from '../expressions/variables.ts';
import { isMapping } from './mapping.ts';
import type { Path, Remark } from './remark.ts';

/** Checks the placeholders of every text in a value; keys are not rendered and hold none. */
export function checkTexts(value: unknown, path: Path, declared: DeclaredVariables): Remark[] {
  if (typeof value === 'string') {
    return value.includes('${') ? checkTemplate(value, declared).map((fault) => ({ path, ...fault })) : [];
  }
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
