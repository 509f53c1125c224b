import { suggestName } from './closest-name.ts';
import { celFunctions, listCelVariables } from './cel-scope.ts';
import type { CelSubject } from './cel-scope.ts';

/** An error of the CEL engine as far as it is read here. */
interface EngineError {
  code: string;
  summary: string;
}

/** Says in the words of this project what the engine found wrong; the engine's own words where they are plain enough. */
export function describeCelError(error: EngineError, subject: CelSubject): { message: string; hint?: string } {
  const { code, summary } = error;
  if (code === 'unknown_variable') {
    const name = lastWord(summary);
    const variables = listCelVariables(subject);
    const hint = suggestName(name, variables, `an expression can read ${variables.join(', ')}`);
    return { message: `unknown name \`${name}\``, hint };
  }
  if (code === 'no_such_key') return { message: `there is no key \`${lastWord(summary)}\`` };
  if (code === 'no_such_overload') return describeOverload(summary);
  if (code === 'no_matching_overload') return describeCall(summary);
  if (code === 'limit_exceeded') {
    return { message: `the expression is too large: ${summary.charAt(0).toLowerCase()}${summary.slice(1)}` };
  }
  return {
    message: `${summary.charAt(0).toLowerCase()}${summary.slice(1)}`.replace('token: EOF', 'end of the expression'),
  };
}

function describeOverload(summary: string): { message: string; hint?: string } {
  const operation = summary.replace('no such overload: ', '').replaceAll(/dyn<(\w+)>/g, '$1');
  const message = `no operator for \`${operation}\``;
  const isMixedNumber = /\bdouble\b/.test(operation) && /\bu?int\b/.test(operation);
  if (!isMixedNumber) return { message };
  return { message, hint: 'a number from JSON is a double: write `2.0` for `2`, or convert with int() or double()' };
}

function describeCall(summary: string): { message: string; hint?: string } {
  const call = /'(.*)'/.exec(summary)?.[1] ?? '';
  const name = /([A-Za-z_]\w*)\(/.exec(call)?.[1] ?? '';
  if (celFunctions.includes(name)) return { message: `\`${call}\` does not fit: no such arguments for ${name}` };
  return {
    message: `unknown function \`${name}\``,
    hint: suggestName(name, celFunctions, `known: ${celFunctions.join(', ')}`),
  };
}

function lastWord(summary: string): string {
  return summary.slice(summary.lastIndexOf(': ') + 2);
}
