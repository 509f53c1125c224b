/** What stands in place of a credential. */
export const mask = '[secret]';

/** Names of what must not be seen, as a word of its own within a longer name. */
const secretName =
  /(^|[^a-z])(pass(word|wd|phrase)?|pwd|secret|token|api[-_]?key|apikey|auth|authorization|credentials?|private[-_]?key|access[-_]?key|signature|sig|cookie|session|key)([^a-z]|$)/i;

/** Forms that tell a credential whatever its name is: those of code hosts, clouds, chat and payment, and JWTs. */
const secretForm =
  /\b(gh[pousr]_\w{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|(AKIA|ASIA)[A-Z0-9]{12,}|[sr]k_(live|test)_\w{10,}|sk-[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]+|npm_\w{20,}|dop_v1_\w{20,}|hvs\.[\w-]{20,}|eyJ[\w-]{8,}\.[\w-]{8,}(\.[\w-]*)?)/;

/** Whether something of this name is a credential. */
export function isSecretName(name: string): boolean {
  return secretName.test(name.replaceAll(/([a-z])([A-Z])/g, '$1-$2'));
}

/** Whether a text is a credential by its form. */
export function isSecretText(text: string): boolean {
  return secretForm.test(text) || /hooks\.slack\.com\/services\//.test(text);
}

const quoted = `"(?:[^"\\\\]|\\\\.)*"|'[^']*'`;
const word = `(?:${quoted}|[^\\s"'&|;]+)`;

/** Each keeps its groups 1 and 3, and takes out what is between them. */
const places: RegExp[] = [
  // --user name:password, -u name:password
  /((?:^|\s)(?:-u|--user|--proxy-user)(?:\s+|=)?["']?[^\s:"'$]+:)([^\s"']+)/g,
  // -b name=value, --cookie name=value
  /((?:^|\s)(?:-b|--cookie)(?:\s+|=)["']?[\w-]+=)(?!\$)([^"'\s]+)/g,
  // https://user:password@host
  /(:\/\/[^\s/:@"']*:)([^\s/@"'$][^\s/@"']*)(@)/g,
  // Authorization: Bearer token
  /((?:authorization|cookie|[\w-]*(?:api-?key|token|secret|auth|password|signature)[\w-]*)\s*:\s*(?:(?:bearer|basic|token|digest)\s+)?)(?!\s*["']?\$)([^"'\s][^"'\n]*)/gi,
  // "password": "text" in JSON, with its quotes escaped or not
  /(\\?"[\w-]*(?:pass(?:word|wd)?|secret|token|api_?key|credential)[\w-]*\\?"\s*:\s*\\?")((?:[^"\\$]|\\(?!"))+)/gi,
  // --password=text, --api-key text, name=text in a form or in front of a command, PGPASSWORD=text
  new RegExp(
    `((?:^|[\\s"'&?;=])-{0,2}[\\w-]*(?:pass(?:word|wd|phrase)?|secret|token|api[-_]?key|access[-_]?key|credentials?|signature|(?<=[?&])(?:key|sig))=)(?!["']?\\$)(${quoted}|[^\\s"'&|;]+)`,
    'gi',
  ),
  new RegExp(
    `((?:^|\\s)--[\\w-]*(?:pass(?:word|wd|phrase)?|secret|token|bearer|api[-_]?key)\\s+)(?!["']?[$-])(${word})`,
    'gi',
  ),
  // mysqldump -ptext, sshpass -p text
  /(\b(?:mysql\w*|mariadb[\w-]*)\b[^|;&\n]*?\s-p)([^\s$"']\S*|"[^"$]*"|'[^']*')/g,
  /(\bsshpass\s+-p\s*)([^\s$]\S*)/g,
];

/** Takes out of a line what looks like a credential, and leaves the rest as it is. */
export function maskSecrets(text: string): string {
  const masked = places.reduce(
    (current, place) =>
      current.replace(place, (found, before: string, hidden: string, after: unknown) =>
        hidden === mask || /^["']?(?:(?:bearer|basic|token|digest)\s+)?\$/i.test(hidden)
          ? found
          : `${before}${mask}${typeof after === 'string' ? after : ''}`,
      ),
    text,
  );
  return masked
    .replaceAll(new RegExp(secretForm, 'g'), mask)
    .replaceAll(/(hooks\.slack\.com\/services\/)[\w/-]+/g, `$1${mask}`);
}
