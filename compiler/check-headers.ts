import { findHeaderFault, headerName } from '../expressions/request-line.ts';
import { parseTemplate } from '../expressions/template.ts';
import type { DeclaredVariables } from '../expressions/variables.ts';
import { checkTexts } from './check-texts.ts';
import { isMapping } from './mapping.ts';
import type { Path, Remark } from './remark.ts';

/** Headers that every request gets from the worker, or that only the connection can know. */
const reservedHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'host',
  'idempotency-key',
  'traceparent',
  'transfer-encoding',
]);

/** Checks the names and the values of a request's headers. */
export function checkHeaders(headers: Record<string, unknown>, parent: Path, declared: DeclaredVariables): Remark[] {
  const remarks: Remark[] = [];
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(headers)) {
    const path = [...parent, name];
    const lower = name.toLowerCase();
    const atKey = true;
    if (!headerName.test(name)) {
      remarks.push({
        path,
        atKey,
        message: `\`${name}\` is not a header name; allowed: letters, digits and !#$%&'*+-.^_\`|~`,
      });
    } else if (reservedHeaders.has(lower)) {
      remarks.push({ path, atKey, message: `the header \`${name}\` is set by the worker`, hint: 'leave it out' });
    } else if (seen.has(lower)) {
      remarks.push({ path, atKey, message: `the header \`${name}\` is here twice; upper and lower case are the same` });
    }
    seen.add(lower);
    if (typeof value === 'string') remarks.push(...checkHeaderText(value, `the header \`${name}\``, path, declared));
  }
  return remarks;
}

/** Checks what a request says about who sends it; it becomes an Authorization header, and so no other may be there. */
export function checkAuth(auth: unknown, headers: unknown, parent: Path, declared: DeclaredVariables): Remark[] {
  if (auth === undefined) return [];
  const remarks: Remark[] = [];
  const path = [...parent, 'auth'];
  const stated = isMapping(headers)
    ? Object.keys(headers).find((name) => name.toLowerCase() === 'authorization')
    : undefined;
  if (stated !== undefined) {
    const message = `\`auth\` makes the header \`${stated}\`, which is here too`;
    remarks.push({ path: [...parent, 'headers', stated], atKey: true, message, hint: 'keep one of the two' });
  }
  const { basic, bearer } = isMapping(auth) ? auth : {};
  if (typeof bearer === 'string') remarks.push(...checkCredential(bearer, [...path, 'bearer'], declared));
  const { username, password } = isMapping(basic) ? basic : {};
  if (typeof password === 'string')
    remarks.push(...checkCredential(password, [...path, 'basic', 'password'], declared));
  if (typeof username !== 'string') return remarks;
  const namePath = [...path, 'basic', 'username'];
  remarks.push(...checkHeaderText(username, '`username`', namePath, declared));
  const offset = username.replaceAll(/\$\{[^}]*\}/g, (name) => 'x'.repeat(name.length)).indexOf(':');
  if (offset === -1) return remarks;
  return [...remarks, { path: namePath, offset, message: 'a user name cannot hold a colon, which ends it on its way' }];
}

/** A credential that is no secret stands in the file, or is shown with the run. */
function checkCredential(text: string, path: Path, declared: DeclaredVariables): Remark[] {
  const name = `\`${path.at(-1) ?? ''}\``;
  const remarks = checkHeaderText(text, name, path, declared);
  if (remarks.length > 0 || text === '') return remarks;
  const isSecret = parseTemplate(text).parts.some((part) => 'name' in part && declared.secrets.includes(part.name));
  if (isSecret) return [];
  const message = `${name} holds no secret, so it is shown and stored as it is`;
  return [{ path, message, hint: 'name a variable in `secrets:` and write `${NAME}`', isWarning: true }];
}

function checkHeaderText(text: string, what: string, path: Path, declared: DeclaredVariables): Remark[] {
  const remarks = checkTexts(text, path, declared);
  const offset = findHeaderFault(text);
  if (offset === -1) return remarks;
  return [...remarks, { path, offset, message: `${what} holds a line break or a character outside Latin-1` }];
}
