import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readAnswer } from '../../activities/answer.ts';
import { createRedactor } from '../../activities/redaction.ts';
import { MissingVariableError, resolveVariables } from '../../activities/variables.ts';
import { makeOrder } from '../history/support/history.ts';
import { measureCpuMs } from '../support/slack.ts';

const secret = 'p@ss/w"ord & <é>\'+';
const mark = '[redacted TOKEN]';
const redact = createRedactor([['TOKEN', secret]]);

function percent(text: string): string {
  return [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('');
}

describe('a secret is taken out of a text', () => {
  it.for<[string, string]>([
    ['as it is', secret],
    ['URL-encoded', encodeURIComponent(secret)],
    ['URL-encoded in lower case', encodeURIComponent(secret).replaceAll(/%../g, (code) => code.toLowerCase())],
    ['as a form field', new URLSearchParams({ a: secret }).toString().slice(2)],
    ['inside a URL', new URL(`http://h/?q=${encodeURIComponent(secret)}`).href.slice(12)],
    ['in JSON', JSON.stringify(secret).slice(1, -1)],
    [
      'in JSON with escaped slashes',
      JSON.stringify(secret)
        .slice(1, -1)
        .replaceAll('/', String.raw`\/`),
    ],
    [
      'in JSON of ASCII',
      JSON.stringify(secret)
        .slice(1, -1)
        .replace('é', String.raw`\u00e9`),
    ],
    ['in HTML', 'p@ss/w&quot;ord &amp; &lt;é&gt;&#39;+'],
    ['in base64', Buffer.from(secret).toString('base64')],
    ['in base64 without padding', Buffer.from(secret).toString('base64').replace(/=+$/, '')],
    ['in base64 for URLs', Buffer.from(secret).toString('base64url')],
    ['in Basic authentication', Buffer.from(`u:${secret}`).toString('base64').slice(2)],
  ])('%s', ([, form]) => {
    expect(redact(`before ${form} after ${form}`)).toBe(`before ${mark} after ${mark}`);
  });
});

it('in the base64 of any text around it, no run of characters that only the secret decides is left', () => {
  const around = fc.uint8Array({ maxLength: 12 });
  // White space at the ends of a value is mostly the line end of its file, and nobody's secret: it may be left.
  const anySecret = fc
    .string({ minLength: 6, maxLength: 40, unit: 'grapheme-ascii' })
    .filter((text) => text.trim() === text);
  fc.assert(
    fc.property(anySecret, around, around, (value, left, right) => {
      const encoded = Buffer.concat([left, Buffer.from(value), right]).toString('base64');
      const shown = createRedactor([['TOKEN', value]])(`Basic ${encoded}`);
      expect(shown).toContain(mark);
      const rest = shown.replace('Basic ', '').split(mark);
      expect((rest[0] ?? '').length).toBeLessThanOrEqual(Math.floor((left.length * 8) / 6));
      expect(rest.join('').replaceAll('=', '').length).toBeLessThanOrEqual(
        Math.ceil(((left.length + right.length) * 8) / 6),
      );
    }),
  );
});

it('no anySecret is left in a text that holds it, whatever the secrets are', () => {
  const value = fc.string({ minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 4 }), fc.array(value, { maxLength: 4 }), (values, words) => {
      const names = values.map((_, index) => [`S${index}`, values[index] ?? ''] as const);
      const shown = createRedactor(names)([...words, ...values].join('\n'));
      const outside = shown.split(/\[redacted S\d\]/);
      for (const text of values) expect(outside.filter((part) => part.includes(text))).toEqual([]);
    }),
  );
});

it('of two secrets, one inside the other, the longer is named, and a mark is not searched again', () => {
  const both = createRedactor([
    ['SHORT', 'redacted'],
    ['LONG', 'redacted-too'],
  ]);
  expect(both('a redacted b redacted-too c')).toBe('a [redacted SHORT] b [redacted LONG] c');
});

it('signs that mean something to a pattern or a replacement are only signs', () => {
  const odd = createRedactor([['ODD', '$&.*(x']]);
  expect(odd('a $&.*(x b .* $&')).toBe('a [redacted ODD] b .* $&');
});

it('a secret from a file is found without its last line break too', () => {
  expect(createRedactor([['FILE', 'abcdef\n']])('Bearer abcdef.')).toBe('Bearer [redacted FILE].');
});

it('a megabyte is searched in well under a second', async () => {
  const text = 'QWxhZGRpbjpvcGVuIHNlc2FtZQ'.repeat(40_000);
  expect(await measureCpuMs(() => expect(redact(text)).toBe(text))).toBeLessThan(1_000);
});

describe('a response is stored without its secrets', () => {
  const number = '12345678901234567890';
  const both = createRedactor([
    ['TOKEN', secret],
    ['NUMBER', number],
  ]);
  const store = (text: string) => readAnswer({ status: 200, headers: {}, text }, both);

  it.for<[string, string, string]>([
    ['as a value', JSON.stringify({ a: secret, n: 1 }), `{"a":"${mark}","n":1}`],
    ['as a key', JSON.stringify({ [secret]: 1 }), `{"${mark}":1}`],
    [
      'as a number beyond 2^53',
      `{"a":${number},"b":9007199254740993}`,
      '{"a":"[redacted NUMBER]","b":9007199254740993}',
    ],
    ['within a longer number', `[1${number}5.0e3]`, '["1[redacted NUMBER]5.0e3"]'],
    ['under a key that comes twice', `{"a":${JSON.stringify(secret)},"a":1}`, `{"a":"${mark}","a":1}`],
    [
      'escaped letter by letter',
      `["${[...secret].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')}"]`,
      `["${mark}"]`,
    ],
    [
      'as JSON in a string',
      JSON.stringify({ a: JSON.stringify({ b: secret }) }),
      JSON.stringify({ a: `{"b":"${mark}"}` }),
    ],
    ['percent-encoded whole, which no usual encoder does', JSON.stringify([percent('abc')]), '["%61%62%63"]'],
    [
      'in a text that is not JSON',
      `token=${secret}; n=${number}`,
      JSON.stringify(`token=${mark}; n=[redacted NUMBER]`),
    ],
  ])('%s', ([, text, stored]) => {
    expect(store(text).stored.json).toBe(stored);
  });

  it('and the rules see it without them too: in body, headers and the quoted start', () => {
    const { answer } = readAnswer(
      { status: 200, headers: { echo: `Bearer ${secret}`, [secret]: 'x' }, text: JSON.stringify({ a: secret }) },
      both,
    );
    expect(answer).toEqual({
      ...{ status: 200, body: { a: mark }, start: `{"a":"${mark}"}` },
      headers: { echo: `Bearer ${mark}`, [mark]: 'x' },
    });
  });

  it('a secret that the quoted start would cut in two is taken out before the cut', () => {
    const { answer } = store(`${'x'.repeat(295)}${secret}`);
    expect(answer.start).toBe(`${'x'.repeat(295)}[reda`);
  });
});

it('only the listed variables are read, and all that are missing are named at once', () => {
  const order = { ...makeOrder(), env: ['A_URL', 'B_URL'], secrets: ['C_TOKEN'] };
  const { values } = resolveVariables(order, { A_URL: 'a', B_URL: 'b', C_TOKEN: 'c', OTHER: 'd' });
  expect([...values.keys()]).toEqual(['A_URL', 'B_URL', 'C_TOKEN']);
  expect(() => resolveVariables(order, { A_URL: 'a', B_URL: '' })).toThrow(MissingVariableError);
  expect(() => resolveVariables(order, { A_URL: 'a', B_URL: '' })).toThrow(/has no B_URL, C_TOKEN; set them/);
});

it('what Basic authentication sends is taken out whole, however short its password is', () => {
  const plain = makeOrder();
  if (plain.kind === 'watchdog') throw new Error('not a sweep');
  const auth = { basic: { username: '${A_USER}', password: '${C_PIN}' } };
  const request = { ...plain.sweep.request, auth };
  const each = {
    targets: { request: { ...request, auth: { basic: { username: 'x', password: '${C_PIN}' } } }, list: '' },
  };
  const sweep = { ...plain.sweep, request, each: { ...each, key: 'id', concurrency: 1 } };
  const order = { ...plain, sweep, env: ['A_USER'], secrets: ['C_PIN'] };
  const { redact: clean } = resolveVariables(order, { A_USER: 'ada', C_PIN: '7' });
  for (const user of ['ada', 'x']) {
    const sent = Buffer.from(`${user}:7`).toString('base64');
    expect(clean(`Authorization: Basic ${sent}, in a URL ${encodeURIComponent(sent)}.`)).toBe(
      'Authorization: Basic [redacted auth.basic], in a URL [redacted auth.basic].',
    );
  }
});
