/** Takes the values of secrets out of a text. */
export type Redact = (text: string) => string;

/**
 * Replaces each secret by its name, also where it stands URL-encoded, HTML-escaped, inside a JSON string, in base64, or in
 * the base64 of something longer such as `user:secret`. The longest match wins, so no rest of a secret stays behind.
 */
export function createRedactor(secrets: (readonly [name: string, value: string])[]): Redact {
  const marks = new Map<string, string>();
  const spans: { core: string; mark: string }[] = [];
  for (const [name, value] of secrets) {
    const mark = `[redacted ${name}]`;
    for (const form of formsOf(value)) marks.set(form, marks.get(form) ?? mark);
    for (const core of base64Cores(value)) spans.push({ core, mark });
  }
  const plain = [...marks.keys()].sort((a, b) => b.length - a.length).map(escapePattern);
  const cores = spans.sort((a, b) => b.core.length - a.core.length);
  const patterns = [...plain, ...cores.map(({ core }) => `${edge}${escapePattern(core)}${edge}={0,2}`)];
  if (patterns.length === 0) return (text) => text;
  const pattern = new RegExp(patterns.join('|'), 'g');
  // Nearly every text holds none: without what may stand beside a core this is found out faster.
  const any = new RegExp([...plain, ...cores.map(({ core }) => escapePattern(core))].join('|'));
  return (text) => {
    if (!any.test(text)) return text;
    const nameOf = (match: string) => marks.get(match) ?? cores.find(({ core }) => match.includes(core))?.mark ?? '';
    return text.replace(pattern, nameOf);
  };
}

/** The characters beside a core share bits with the secret. */
const edge = '[A-Za-z0-9+/_-]{0,3}';

function escapePattern(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, String.raw`\$&`);
}

function formsOf(value: string): Set<string> {
  const forms = [value, value.trim()].flatMap((text) => [
    text,
    ...percentForms(text),
    ...jsonForms(text),
    ...htmlForms(text),
    ...base64Forms(text),
  ]);
  return new Set(forms.filter((form) => form !== ''));
}

/** Encoders differ in the case of their digits, in what they leave as it is, and in how they write a space. */
function percentForms(text: string): string[] {
  const usual = encodeURIComponent(text.toWellFormed());
  const strict = usual.replaceAll(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const forms = [usual, strict, encodeURI(text.toWellFormed()), strict.replaceAll('%20', '+')];
  return [...forms, ...forms.map((form) => form.replaceAll(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()))];
}

function jsonForms(text: string): string[] {
  const escaped = JSON.stringify(text).slice(1, -1);
  const ascii = escaped.replaceAll(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [escaped, ascii].flatMap((form) => [form, form.replaceAll('/', String.raw`\/`)]);
}

function htmlForms(text: string): string[] {
  const basic = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const quoted = basic.replaceAll('"', '&quot;');
  return [basic, quoted, quoted.replaceAll("'", '&#39;'), quoted.replaceAll("'", '&#x27;')];
}

function base64Forms(text: string): string[] {
  const standard = Buffer.from(text).toString('base64');
  return [standard, standard.replace(/=+$/, ''), Buffer.from(text).toString('base64url')];
}

/** Shorter ones would be found by chance. */
const shortestCore = 4;

/**
 * What the base64 of anything that contains the secret must contain: the characters that only the secret decides, one text
 * for each of the three ways in which its bytes may fall into groups of three.
 */
function base64Cores(value: string): string[] {
  const cores = [0, 1, 2].flatMap((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(value)]);
    const from = Math.ceil((shift * 8) / 6);
    const to = Math.floor((bytes.length * 8) / 6);
    return [bytes.toString('base64').slice(from, to), bytes.toString('base64url').slice(from, to)];
  });
  return [...new Set(cores)].filter((core) => core.length >= shortestCore);
}
