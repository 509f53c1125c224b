import { z } from 'zod';

const expectation = 'expected a status such as 204, "2xx" or "200-299"';

/** An HTTP status, a hundred of them as `2xx`, or a range; as an inclusive range. */
export const statusField = z.union([z.int(), z.string()], expectation).transform((value, context) => {
  const range = readRange(String(value));
  if (range) return range;
  context.addIssue({ code: 'custom', message: expectation });
  return z.NEVER;
});

/** Undefined for what is not within 100-599, or is turned round. */
function readRange(text: string): { from: number; to: number } | undefined {
  const hundred = /^([1-5])xx$/i.exec(text);
  if (hundred) return { from: Number(hundred[1]) * 100, to: Number(hundred[1]) * 100 + 99 };
  const range = /^([1-5]\d\d)(?: *- *([1-5]\d\d))?$/.exec(text);
  if (!range) return undefined;
  const [from, to] = [Number(range[1]), Number(range[2] ?? range[1])];
  return from <= to ? { from, to } : undefined;
}
