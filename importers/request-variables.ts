import { parseTemplate } from '../expressions/template.ts';
import { isSecretName, isSecretText } from './secrets.ts';

/** The variables of a request, and where the value of each stood before. */
export interface RequestVariables {
  env: string[];
  secrets: string[];
  /** One for each variable that has to be set on the workers: its name, and what its value is. */
  origins: { name: string; from: string }[];
}

/** Collects what a request names; credentials that stood in the command become variables of the definition. */
export class VariableCollector {
  readonly #base: string;
  readonly #env = new Map<string, string>();
  readonly #secrets = new Map<string, string>();

  /** `base` begins the names of new variables, such as `NIGHTLY_SWEEP`. */
  constructor(base: string) {
    this.#base = base;
  }

  /** Notes the variables that stand in a text; all of them are secrets where the text is a credential. */
  note(text: string, isCredential = false): string {
    for (const part of parseTemplate(text).parts) {
      if (!('name' in part)) continue;
      const isSecret = isCredential || isSecretName(part.name);
      if (isSecret) this.#env.delete(part.name);
      if (!isSecret && this.#secrets.has(part.name)) continue;
      (isSecret ? this.#secrets : this.#env).set(part.name, `\`$${part.name}\` of the command`);
    }
    return text;
  }

  /** Puts a variable in place of a credential, unless it is one already. */
  hide(text: string, suffix: string, from: string): string {
    const { parts } = parseTemplate(text);
    if (text === '' || parts.some((part) => 'name' in part)) return this.note(text, true);
    const plain = `${this.#base}_${suffix
      .toUpperCase()
      .replaceAll(/[^A-Z0-9]+/g, '_')
      .replaceAll(/^_+|_+$/g, '')}`;
    this.#secrets.set(plain, from);
    return `\${${plain}}`;
  }

  /** Hides the text where its name or its form tells a credential. */
  hideIfSecret(name: string, text: string, from: string): string {
    return isSecretName(name) || isSecretText(text) ? this.hide(text, name, from) : this.note(text);
  }

  /** Whether a text names a variable that is a secret. */
  holdsSecret(text: string): boolean {
    return parseTemplate(text).parts.some((part) => 'name' in part && isSecretName(part.name));
  }

  list(): RequestVariables {
    const all = [...this.#env, ...this.#secrets];
    return {
      env: [...this.#env.keys()].sort(),
      secrets: [...this.#secrets.keys()].sort(),
      origins: all.map(([name, from]) => ({ name, from })).sort((left, right) => (left.name < right.name ? -1 : 1)),
    };
  }
}
