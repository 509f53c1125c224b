import { z } from 'zod';
import { checkCel } from '../expressions/cel.ts';
import type { CelResult } from '../expressions/cel.ts';
import type { CelSubject } from '../expressions/cel-scope.ts';
import type { Fault } from '../expressions/fault.ts';
import { environmentName } from '../expressions/variables.ts';
import type { Calendar } from '../workflows/contract.ts';
import { compileCron } from './cron.ts';
import { durationExpectation, formatDuration, parseDuration } from './duration.ts';
import { findMomentFault, parseDate } from './moment.ts';
import type { Remark } from './remark.ts';
import { findTimezoneFault } from './timezone.ts';

/** What our own checks hand to zod beside the message; `describeIssue` reads it back. */
export interface IssueDetail {
  own: true;
  hint?: string | undefined;
  offset?: number | undefined;
  atKey?: boolean | undefined;
}

/** Adds a fault inside the text that is being read to zod's list. */
export function addFault(context: z.RefinementCtx, fault: Fault): void {
  const params: IssueDetail = { own: true, offset: fault.offset, hint: fault.hint };
  context.addIssue({ code: 'custom', message: fault.message, params: { ...params } });
}

/** Adds a remark of a check over several keys to zod's list. */
export function addRemark(context: z.RefinementCtx, remark: Remark): void {
  const params: IssueDetail = { own: true, offset: remark.offset, hint: remark.hint, atKey: remark.atKey };
  context.addIssue({ code: 'custom', message: remark.message, path: [...remark.path], params: { ...params } });
}

/** Text of one line, not empty. */
export function lineField(longest: number): z.ZodString {
  const expectation = `expected one line of text, at most ${longest} characters`;
  return z
    .string(expectation)
    .refine((text) => text.trim() !== '' && text.length <= longest && !/\p{Cc}/u.test(text), expectation);
}

/** A duration in milliseconds, within bounds that the message gives a reason for. */
export function durationField(limits: { wholeSeconds: boolean; leastMs: number; mostMs?: number; reason?: string }) {
  return z.string(durationExpectation).transform((text, context): number => {
    const result = parseDuration(text, limits.wholeSeconds);
    if ('fault' in result) {
      addFault(context, result.fault);
      return z.NEVER;
    }
    const { mostMs = Infinity } = limits;
    if (result.ms > mostMs) {
      addFault(context, { offset: 0, message: `\`${text}\` is too long; at most ${formatDuration(mostMs)}` });
      return z.NEVER;
    }
    if (result.ms >= limits.leastMs) return result.ms;
    const reason = limits.reason === undefined ? '' : `: ${limits.reason}`;
    addFault(context, {
      offset: 0,
      message: `\`${text}\` is too short; at least ${formatDuration(limits.leastMs)}${reason}`,
    });
    return z.NEVER;
  });
}

/** A whole number within bounds. */
export function countField(least: number, most: number, what: string): z.ZodInt {
  const expectation = `expected ${what} from ${least} to ${most}`;
  return z.int(expectation).min(least, expectation).max(most, expectation);
}

/** A cron text, compiled. */
export const cronField = z
  .string('expected a cron text such as "*/15 * * * *"')
  .transform((text, context): Calendar[] => {
    const result = compileCron(text);
    if ('calendars' in result) return result.calendars;
    for (const fault of result.faults) addFault(context, fault);
    return z.NEVER;
  });

/** A date to leave out, or a cron text for all that is left out; kept as text. */
export const skipField = z.string('expected a date such as 2026-12-25, or a cron text').superRefine((text, context) => {
  if (parseDate(text)) return;
  if (/^\d{4}-/.test(text)) {
    addFault(context, {
      offset: 0,
      message: `\`${text}\` is not a date; expected a date such as 2026-12-25, or a cron text`,
    });
    return;
  }
  const result = compileCron(text);
  if ('faults' in result) for (const fault of result.faults) addFault(context, fault);
});

/** An IANA time zone. */
export const timezoneField = textField('expected an IANA time zone such as Europe/Berlin', findTimezoneFault);

/** A date or an instant. */
export const momentField = textField('expected a date such as 2026-12-25 or an instant', findMomentFault);

/** A CEL expression that gives `result`, over a response unless another subject is named. */
export function celField(result: CelResult, subject: CelSubject = 'response') {
  const expectation = `expected a CEL expression in text that gives ${result}`;
  return textField(expectation, (text) => checkCel(text, result, subject));
}

/** The name of a variable of the worker. */
export const variableField = textField('expected a name such as STATE_HUB_URL', (name) => {
  if (environmentName.test(name)) return undefined;
  const message = `\`${name}\` is not a variable name; allowed: A-Z, 0-9 and _, not beginning with a digit`;
  return name.includes('=')
    ? { offset: 0, message, hint: 'name the variable only; its value is set on the worker' }
    : { offset: 0, message };
});

function textField(expectation: string, findFault: (text: string) => Fault | undefined) {
  return z.string(expectation).superRefine((text, context) => {
    const fault = findFault(text);
    if (fault) addFault(context, fault);
  });
}
