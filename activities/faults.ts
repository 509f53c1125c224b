import { TemplateError } from '../expressions/template.ts';
import { ExchangeError } from './http-client.ts';
import { RuleError } from './rule.ts';
import { MissingVariableError } from './variables.ts';

const foreseen = [ExchangeError, MissingVariableError, TemplateError, RuleError] as const;

/** The sentence for what went wrong with a request; undefined for what nobody foresaw. */
export function explainFault(error: unknown): string | undefined {
  return error instanceof Error && foreseen.some((type) => error instanceof type) ? error.message : undefined;
}
