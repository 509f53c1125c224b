import { describe, expect, test } from 'vitest';
import { findHeaderFault, renderHeader, renderUrl } from '../../expressions/request-line.ts';
import { TemplateError } from '../../expressions/template.ts';

const variables = (values: Record<string, string>) => (name: string) => values[name];

describe('a header', () => {
  test('gets the values of its variables', () => {
    expect(renderHeader('Authorization', 'Bearer ${T}', variables({ T: 'abc' }))).toBe('Bearer abc');
  });

  test.each(['a\r\nX-Evil: 1', 'a\n', 'a\0', 'é\u{1F600}'])('refuses the value %j and does not repeat it', (value) => {
    const render = () => renderHeader('Authorization', 'Bearer ${T}', variables({ T: value }));
    expect(render).toThrowError(TemplateError);
    expect(render).toThrowError('`${T}` holds a line break');
    expect(render).not.toThrowError('X-Evil');
  });

  test('its first bad character is found', () => {
    expect(findHeaderFault('ok\tok')).toBe(-1);
    expect(findHeaderFault('ab\ncd')).toBe(2);
  });
});

describe('a URL', () => {
  test('takes a variable at its start as a base address', () => {
    expect(renderUrl('${U}/x', variables({ U: 'http://hub:8080/base' })).href).toBe('http://hub:8080/base/x');
  });

  test('has one slash where the base address ends with one', () => {
    expect(renderUrl('${U}/x', variables({ U: 'http://hub/' })).href).toBe('http://hub/x');
  });

  test('keeps a later value inside its segment', () => {
    expect(renderUrl('http://hub/${A}?q=${B}', variables({ A: '../../admin', B: 'x&y=z' })).href).toBe(
      'http://hub/..%2F..%2Fadmin?q=x%26y%3Dz',
    );
  });

  test.each(['hub/x', 'ftp://hub', 'file:///etc/passwd', 'http://hub\n/x', ''])(
    'refuses the base address %j',
    (base) => {
      expect(() => renderUrl('${U}/x', variables({ U: base }))).toThrowError('did not become an http or https URL');
    },
  );
});
