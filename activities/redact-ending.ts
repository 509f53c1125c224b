import { storable } from '../history/storable.ts';
import type { Ending } from './ending.ts';
import type { Redact } from './redaction.ts';

const asItIs: Redact = (text) => text;

/** What nobody foresaw goes to Temporal with its message and its causes: only a redacted message of it may. */
export function redactDefect(error: unknown, redact: Redact = asItIs): Error {
  return new Error(redact(error instanceof Error ? `${error.name}: ${error.message}` : String(error)));
}

/** The last gate before the row: no sentence of ours may carry a secret that the target or an error quoted. */
export function redactEnding<End extends Ending>(ending: End, redact: Redact = asItIs): End {
  const clean = (text: string) => storable(redact(text));
  const sealed = { ...ending, reason: clean(ending.reason) };
  if (ending.failures !== undefined && ending.failures.length > 0) {
    sealed.failures = ending.failures.map(({ target, rule, message }) => ({
      target: clean(target),
      rule: clean(rule),
      message: clean(message),
    }));
  }
  if (ending.checks !== undefined) {
    sealed.checks = ending.checks.map(({ error, ...rest }) =>
      error === undefined ? rest : { ...rest, error: clean(error) },
    );
  }
  return sealed;
}
