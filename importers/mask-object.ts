import { isMapping } from '../compiler/mapping.ts';
import { stringify } from 'yaml';
import { isSecretName, isSecretText, mask, maskSecrets } from './secrets.ts';

/** Whether `maskObject` would take something out. */
export function holdsSecrets(value: unknown): boolean {
  return JSON.stringify(maskValue(value, '')) !== JSON.stringify(value);
}

/** Writes an object of Kubernetes as YAML without what looks like a credential in it. */
export function maskObject(value: Record<string, unknown>): string {
  return stringify(maskValue(value, ''), { lineWidth: 0 }).trimEnd();
}

function maskValue(value: unknown, name: string): unknown {
  if (typeof value === 'string') return isHidden(name, value) ? mask : maskSecrets(value);
  if (Array.isArray(value)) return maskWords(value as unknown[]);
  if (!isMapping(value)) return value;
  const { name: variable, value: text } = value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => {
      // { name: TOKEN, value: text } of a container.
      const label = key === 'value' && typeof variable === 'string' && typeof text === 'string' ? variable : key;
      return [key, isStructural(key) ? item : maskValue(item, label)];
    }),
  );
}

/** Masks the words of a command: also one that follows `--password`, or `-u`. */
export function maskWords(items: readonly unknown[]): unknown[] {
  return items.map((item, index) => {
    const before = items[index - 1];
    if (typeof item === 'string' && typeof before === 'string' && before.startsWith('-')) {
      if (/^(-u|--user)$/.test(before)) return item.replace(/:(?!\$).*/s, `:${mask}`);
      if (/^--?[\w-]+$/.test(before) && isSecretName(before) && !item.startsWith('$')) return mask;
    }
    return maskValue(item, '');
  });
}

function isHidden(name: string, value: string): boolean {
  return isSecretText(value) || (name !== '' && isSecretName(name) && !/^\$[({]/.test(value));
}

/** Keys whose names sound like credentials and whose values are names of things. */
function isStructural(key: string): boolean {
  return [
    'secretName',
    'secretRef',
    'secretKeyRef',
    'imagePullSecrets',
    'automountServiceAccountToken',
    'serviceAccountToken',
    'configMapKeyRef',
    'name',
  ].includes(key);
}
