import { z } from 'zod';
import { ownSource } from '../workflows/contract.ts';
import { checkSchedule } from './cadence.ts';
import { cutoverSchema } from './cutover.ts';
import {
  addRemark,
  countField,
  cronField,
  durationField,
  lineField,
  momentField,
  skipField,
  timezoneField,
  variableField,
} from './fields.ts';
import { sweepSchema } from './sweep-schema.ts';
import { watchdogSchema } from './watchdog-schema.ts';

/** The server drops a summary of more bytes than this; so a title may not have more. */
const longestTitleBytes = 400;

const idForm = /^[a-z][a-z0-9]*(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)*$/;
const idExpectation = 'expected dotted kebab-case such as the-custodian.state-hub-sweep, at most 200 characters';

const idField = z.string(idExpectation).max(200, idExpectation).regex(idForm, idExpectation);

const wholeSeconds = { wholeSeconds: true, leastMs: 1_000 };

const timeKeys = {
  cron: cronField.optional(),
  every: durationField(wholeSeconds).optional(),
  timezone: timezoneField.default('UTC'),
  start: momentField.optional(),
  end: momentField.optional(),
  skip: z.array(skipField, 'expected a list of dates or cron texts').optional(),
  dst: z.enum(['skip', 'once', 'both']).optional(),
};

const channelExpectation = 'expected a channel such as ledger_changed: a-z, 0-9 and _, at most 63 characters';
/** Postgres takes an unquoted name in lower case, so one with capitals would never be heard. */
const channelField = z.string(channelExpectation).regex(/^[a-z_][a-z0-9_]{0,62}$/, channelExpectation);

const scheduleSchema = z
  .strictObject(
    {
      ...timeKeys,
      jitter: durationField({ wholeSeconds: false, leastMs: 1 }).optional(),
      spread: durationField(wholeSeconds).optional(),
      listen: channelField.optional(),
      debounce: durationField({ wholeSeconds: false, leastMs: 100 }).optional(),
    },
    'expected a mapping such as { cron: "*/15 * * * *" } or { every: 30s }',
  )
  .superRefine((schedule, context) => {
    for (const remark of checkSchedule(schedule)) addRemark(context, remark);
  });

const sourceSchema = z
  .strictObject(timeKeys, 'expected a mapping such as { cron: "*/15 * * * *" }')
  .superRefine((schedule, context) => {
    for (const remark of checkSchedule(schedule)) addRemark(context, remark);
  });

const sourcesSchema = z
  .record(z.string(), sourceSchema, 'expected a mapping from the name of a source to its times')
  .superRefine((sources, context) => {
    for (const name of Object.keys(sources)) {
      if (name === ownSource) {
        addRemark(context, {
          path: [name],
          atKey: true,
          message: `\`${ownSource}\` is this scheduler itself; use \`schedule:\``,
        });
      } else if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
        addRemark(context, {
          path: [name],
          atKey: true,
          message: `\`${name}\` is not a source name; expected kebab-case such as local-timer`,
        });
      }
    }
  });

/** The most names that `env:` or `secrets:` may list. */
export const mostVariables = 100;

const variablesExpectation = `expected a list of variable names, at most ${mostVariables}`;
const variablesSchema = z.array(variableField, variablesExpectation).max(mostVariables, variablesExpectation);

const maxSeconds = countField(1, 86_400, 'a whole number of seconds');

const budgetSchema = z
  .strictObject(
    {
      max_seconds: maxSeconds,
      hard_timeout: durationField({ wholeSeconds: false, leastMs: 1_000 }).optional(),
      min_duration: durationField({ wholeSeconds: false, leastMs: 1 }).optional(),
    },
    'expected a mapping such as { max_seconds: 300 }',
  )
  .superRefine(({ max_seconds: seconds, hard_timeout: hardMs, min_duration: leastMs }, context) => {
    if (hardMs !== undefined && hardMs < seconds * 1_000) {
      const message = `\`hard_timeout\` is shorter than \`max_seconds\` (${seconds}s), so the target could never use its budget`;
      addRemark(context, { path: ['hard_timeout'], message });
    }
    if (leastMs !== undefined && leastMs >= seconds * 1_000) {
      const message = `\`min_duration\` is not below \`max_seconds\` (${seconds}s), so every run would be too short`;
      addRemark(context, { path: ['min_duration'], message });
    }
  });

/** The pause before a second attempt, unless it is stated; an order is then silent about it. */
export const defaultBackoffMs = 1_000;

const keptDaysExpectation = 'expected a number of days such as 90d, from 14d to 3650d';

/** How long the rows of a definition are kept; the history reads it from the revision that was applied last. */
const retentionSchema = z
  .strictObject(
    {
      runs: z
        .string(keptDaysExpectation)
        .regex(/^[1-9]\d{0,3}d$/, keptDaysExpectation)
        .refine((text) => Number.parseInt(text, 10) >= 14 && Number.parseInt(text, 10) <= 3_650, keptDaysExpectation)
        .optional(),
      count: countField(100, 1_000_000_000, 'a number of rows').optional(),
    },
    'expected a mapping such as { runs: 90d, count: 10000 }',
  )
  .refine(({ runs, count }) => runs !== undefined || count !== undefined, 'expected `runs`, `count` or both');

/** The kinds of a definition; each has a section of its own name. */
export const kinds = ['sweep', 'watchdog'] as const;

/** The frontmatter of a definition, key by key; what concerns several sections is checked in `check-definition.ts`. */
export const definitionSchema = z.strictObject({
  id: idField,
  uuid: z.guid('expected a UUID such as 7c4e9a12-8f3b-4d5e-9c6a-1b2d3e4f5a6b').toLowerCase().optional(),
  title: lineField(200).refine(
    (title) => Buffer.byteLength(title) <= longestTitleBytes,
    `expected at most ${longestTitleBytes} bytes of UTF-8, which is what the server shows`,
  ),
  owner: lineField(100),
  kind: z.enum(kinds),
  enabled: z.boolean().default(false),
  schedule: scheduleSchema,
  misfire_policy: z.enum(['skip', 'run_once']).default('skip'),
  misfire_grace: durationField({
    wholeSeconds: false,
    leastMs: 10_000,
    reason: 'below that a healthy server can be late itself, and a good tick would count as a misfire',
  }).default(60_000),
  budget: budgetSchema,
  on_failure: z.enum(['log_and_continue', 'fail', 'pause']).default('log_and_continue'),
  retry: z
    .strictObject(
      {
        attempts: countField(1, 10, 'a whole number').default(1),
        backoff: durationField({ wholeSeconds: false, leastMs: 1 }).default(defaultBackoffMs),
        idempotent: z.boolean().default(false),
      },
      'expected a mapping such as { attempts: 3, backoff: 1s }',
    )
    .default({ attempts: 1, backoff: defaultBackoffMs, idempotent: false }),
  env: variablesSchema.default([]),
  secrets: variablesSchema.default([]),
  sources: sourcesSchema.default({}),
  cutover: cutoverSchema,
  labels: z
    .record(z.string(), z.string('expected text; put quotes around it'), 'expected a mapping from label to text')
    .optional(),
  notify: variablesSchema.default([]),
  retention: retentionSchema.optional(),
  moved_from: z
    .union([idField, z.array(idField, idExpectation)], idExpectation)
    .transform((ids) => (Array.isArray(ids) ? ids : [ids]))
    .default([]),
  sweep: sweepSchema.optional(),
  watchdog: watchdogSchema.optional(),
});

/** The frontmatter of a definition once every key by itself is right: defaults filled in, durations in milliseconds. */
export type DefinitionKeys = z.output<typeof definitionSchema>;
