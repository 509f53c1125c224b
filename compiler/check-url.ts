import type { Fault } from '../expressions/fault.ts';
import { checkTemplate, parseTemplate } from '../expressions/template.ts';
import type { DeclaredVariables } from '../expressions/variables.ts';
import { checkTexts } from './check-texts.ts';
import type { Path, Remark } from './remark.ts';

/** Checks the URL of a request: its placeholders, its form, and that nothing secret stands in it. */
export function checkUrl(url: string, path: Path, declared: DeclaredVariables): Remark[] {
  const faults = [...checkTemplate(url, declared), ...findSecrets(url, 'the URL, which is', declared)];
  if (faults.length === 0) {
    const sample = parseTemplate(url)
      .parts.map((part) => ('text' in part ? part.text : 'x'))
      .join('');
    const fault = findUrlFault(url, sample);
    if (fault) faults.push(fault);
  }
  return faults.map((fault) => ({ path, ...fault }));
}

/** Checks what is put behind the URL; it is logged with it. */
export function checkQuery(query: Record<string, unknown>, parent: Path, declared: DeclaredVariables): Remark[] {
  const remarks = checkTexts(query, parent, declared);
  for (const [name, value] of Object.entries(query)) {
    const path = [...parent, name];
    if (name === '') remarks.push({ path, atKey: true, message: 'a name in the query is empty' });
    for (const [index, text] of (Array.isArray(value) ? (value as unknown[]) : [value]).entries()) {
      if (typeof text !== 'string') continue;
      const at = Array.isArray(value) ? [...path, index] : path;
      for (const fault of findSecrets(text, 'the query, which is a part of the URL and', declared)) {
        remarks.push({ path: at, ...fault });
      }
    }
  }
  return remarks;
}

function findSecrets(text: string, place: string, { secrets }: DeclaredVariables): Fault[] {
  return parseTemplate(text).parts.flatMap((part): Fault[] => {
    if (!('name' in part) || !secrets.includes(part.name)) return [];
    const message = `the secret \`\${${part.name}}\` cannot stand in ${place} logged on its way`;
    return [{ offset: part.offset, message, hint: 'send it in a header' }];
  });
}

function findUrlFault(url: string, sample: string): Fault | undefined {
  const startsWithVariable = url.startsWith('${');
  if (!startsWithVariable && !/^https?:\/\//i.test(sample)) {
    return {
      offset: 0,
      message: `\`${url}\` is not a URL; expected http://, https:// or a variable such as \${STATE_HUB_URL} at its start`,
    };
  }
  const blank = /\s/.exec(url);
  if (blank) return { offset: blank.index, message: 'a URL has no blanks', hint: 'write `%20`' };
  const whole = startsWithVariable ? sample.replace(/^x/, 'http://x') : sample;
  const parsed = URL.parse(whole);
  if (!parsed) return { offset: 0, message: `\`${url}\` is not a URL` };
  if (parsed.username === '' && parsed.password === '') return undefined;
  return {
    offset: 0,
    message: 'a URL cannot hold a user or a password, since it is logged on its way',
    hint: 'send an Authorization header',
  };
}
