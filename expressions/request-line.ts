import { parseOnce, renderText, TemplateError } from './template.ts';
import type { Lookup } from './template.ts';

/** RFC 9110 section 5.6.2: what a header may be called. */
export const headerName = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** RFC 9110 section 5.5: tab, space, visible ASCII and obs-text; no line break can get in. */
// oxlint-disable-next-line no-control-regex
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/;

/** The first character that no header value may hold; -1 when all may. */
export function findHeaderFault(value: string): number {
  return (
    Array.from({ length: value.length }, (_, index) => index).find((index) => !headerValue.test(value[index] ?? '')) ??
    -1
  );
}

/**
 * Renders one header value, refusing what a variable's value would smuggle in.
 * @throws TemplateError naming the header and the variable, never the value.
 */
export function renderHeader(name: string, template: string, lookup: Lookup): string {
  const guarded: Lookup = (variable) => {
    const value = lookup(variable);
    if (value !== undefined && !headerValue.test(String(value))) {
      throw new TemplateError(
        `the value of \`\${${variable}}\` holds a line break or another character that no header may hold (header ${name})`,
        variable,
      );
    }
    return value;
  };
  const value = renderText(template, guarded);
  if (headerValue.test(value)) return value;
  throw new TemplateError(`header ${name} holds a line break or another character that no header may hold`);
}

/**
 * Renders a URL. A variable at the very start is a base address and is taken as it is (one slash too many is dropped);
 * any later one is percent-encoded, so that its value stays inside its path segment or query value.
 * @throws TemplateError where the result is not an absolute http or https URL.
 */
export function renderUrl(template: string, lookup: Lookup): URL {
  const startsWithVariable = 'name' in (parseOnce(template).parts[0] ?? {});
  const followedBySlash = /^\$\{[^}]*\}\//.test(template);
  const url = renderText(template, lookup, (value, index) => {
    if (index > 0 || !startsWithVariable) return encodeURIComponent(value);
    return followedBySlash ? value.replace(/\/+$/, '') : value;
  });
  // oxlint-disable-next-line no-control-regex
  if (/^https?:/i.test(url) && !/[\s\x00-\x1f\x7f]/.test(url)) {
    try {
      return new URL(url);
    } catch {
      // Said below, without the value.
    }
  }
  throw new TemplateError(`\`${template}\` did not become an http or https URL once its variables had their values`);
}
