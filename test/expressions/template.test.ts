import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  checkTemplate,
  escapeTemplate,
  parseTemplate,
  renderTemplate,
  renderText,
  TemplateError,
} from '../../expressions/template.ts';
import type { JsonValue } from '../../workflows/contract.ts';

const declared = { env: ['STATE_HUB_URL'], secrets: ['STATE_HUB_TOKEN'] };
const values = new Map<string, string | number>([
  ['STATE_HUB_URL', 'http://hub'],
  ['budget.max_seconds', 300],
]);
const lookup = (name: string): string | number | undefined => values.get(name);

test('a template is split into texts and names with their offsets', () => {
  expect(parseTemplate('a ${X}${Y} b').parts).toEqual([
    { text: 'a ' },
    { name: 'X', offset: 2 },
    { name: 'Y', offset: 6 },
    { text: ' b' },
  ]);
});

test('$${ stands for the text ${', () => {
  expect(renderText('costs $${X} or $5', lookup)).toBe('costs ${X} or $5');
});

test('an escaped text renders to itself, whatever it holds', () => {
  const texts = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('$', '{', '}', 'a') }));
  fc.assert(fc.property(texts, (text) => renderText(escapeTemplate(text), lookup) === text));
});

test('escaped texts around variables come out as they were, with the values between', () => {
  const plain = fc.string({ unit: fc.constantFrom('a', '{', '}', ' ') });
  const law = fc.property(plain, plain, (before, after) => {
    expect(renderText(`${before}\${STATE_HUB_URL}${after}`, lookup)).toBe(`${before}http://hub${after}`);
  });
  fc.assert(law);
});

test('parsing and checking any text never throws', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('$', '{', '}', 'A', ' ') }),
      (text) => void checkTemplate(text, declared),
    ),
  );
});

describe('rendering a JSON value', () => {
  test('a text that is one number placeholder becomes the number', () => {
    expect(renderTemplate({ max: '${budget.max_seconds}' }, lookup)).toEqual({ max: 300 });
  });

  test('a number inside a longer text is written out', () => {
    expect(renderTemplate('${budget.max_seconds}s', lookup)).toBe('300s');
  });

  test('lists and mappings are rendered all the way down and keys are left alone', () => {
    const value = { '${STATE_HUB_URL}': [{ deep: '${STATE_HUB_URL}/x' }, 1, null, true] };
    expect(renderTemplate(value, lookup)).toEqual({ '${STATE_HUB_URL}': [{ deep: 'http://hub/x' }, 1, null, true] });
  });

  test('a value without placeholders is unchanged', () => {
    const law = fc.property(fc.jsonValue(), (value) => {
      fc.pre(!JSON.stringify(value).includes('${'));
      expect(JSON.stringify(renderTemplate(value as JsonValue, lookup))).toBe(JSON.stringify(value));
    });
    fc.assert(law);
  });

  test('a variable without a value is an error that names it', () => {
    expect(() => renderTemplate('${run.id}', lookup)).toThrowError(TemplateError);
    expect(() => renderTemplate('${run.id}', lookup)).toThrowError('`${run.id}` has no value');
  });

  test('what a value holds is not rendered again', () => {
    expect(renderText('${A}', () => '${B}')).toBe('${B}');
  });
});

test.each([
  ['${FOO}', 0, '`${FOO}` is not declared; add it to env: or secrets:', 'declared: STATE_HUB_URL, STATE_HUB_TOKEN'],
  [
    'x ${STATE_HUB_ULR}',
    2,
    '`${STATE_HUB_ULR}` is not declared; add it to env: or secrets:',
    'did you mean `STATE_HUB_URL`?',
  ],
  ['${run.identity}', 0, '`${run.identity}` is not a variable that a request can use', undefined],
  ['${run.idd}', 0, '`${run.idd}` is not a variable that a request can use', 'did you mean `run.id`?'],
  ['${ run.id }', 0, '`${ run.id }` has spaces around its name', 'write `${run.id}`'],
  ['${}', 0, '`${}` names no variable', undefined],
  ['ab${run.id', 2, '`${` is not closed', 'close it with `}`, or write `$${` for the text `${`'],
])('%s is refused at offset %i', (text, offset, message, hint) => {
  const [fault, ...more] = checkTemplate(text, declared);
  expect(fault).toMatchObject({ offset, message, ...(hint === undefined ? {} : { hint }) });
  expect(more).toEqual([]);
});

test('every wrong name of a text is reported', () => {
  expect(checkTemplate('${A}${B}', declared).map((fault) => fault.offset)).toEqual([0, 4]);
});

test.each(['${STATE_HUB_URL}', '${STATE_HUB_TOKEN}', '${run.scheduled_at}', '${definition.id}', '$${ANYTHING}'])(
  '%s is allowed',
  (text) => {
    expect(checkTemplate(text, declared)).toEqual([]);
  },
);
