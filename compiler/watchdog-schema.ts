import { z } from 'zod';
import { countField, durationField, lineField, variableField } from './fields.ts';
import { requestSchema } from './request-schema.ts';

/** The most checks that a watchdog may have, and the most rows that one of them may bring. */
const mostChecks = 100;
const mostRows = 100_000;

const valueExpectation = 'expected text, a number, true, false, null, or a list of those';
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], valueExpectation);

const columnExpectation = 'expected a column of the detect query such as id, or a list of them';
const column = z.string(columnExpectation).regex(/^[A-Za-z_]\w*$/, columnExpectation);

const checkSchema = z.strictObject(
  {
    action: lineField(100).optional(),
    mode: z.enum(['auto', 'dry_run', 'sim', 'block']).default('dry_run'),
    params: z
      .record(z.string(), z.union([scalar, z.array(scalar)], valueExpectation), 'expected a mapping from name to value')
      .default({}),
    key: z.union([column, z.array(column).min(1, columnExpectation)], columnExpectation),
    limit: countField(1, mostRows, 'a number of rows').default(1_000),
    max_rows: countField(1, mostRows, 'a number of rows').default(1),
    batch: z.boolean().default(false),
    threshold: z.string('expected the name of one of the `params`').optional(),
    cooldown: durationField({ wholeSeconds: true, leastMs: 1_000 }).optional(),
    quarantine_after: countField(1, 1_000, 'a number of runs').default(5),
    destructive: z.boolean().optional(),
    remedy: z
      .strictObject(
        { http: z.strictObject({ request: requestSchema }, 'expected a mapping with request') },
        'expected a mapping with http; a remedy in SQL stands in the body',
      )
      .optional(),
  },
  'expected a mapping such as { key: id, mode: dry_run }',
);

/** What a watchdog says in its frontmatter; its SQL stands in the prose, one section for each check. */
export const watchdogSchema = z.strictObject(
  {
    database: z
      .array(variableField, 'expected a list of the variables that may hold the address, first one set wins')
      .min(1, 'expected at least one variable that holds the address of the database')
      .max(10, 'expected at most 10 variables'),
    destructive_ok: z.boolean().default(false),
    max_actions: countField(0, mostRows, 'a number of actions').default(100),
    checks: z
      .record(z.string(), checkSchema, 'expected a mapping from the name of a check to its keys')
      .refine((checks) => Object.keys(checks).length > 0, 'expected at least one check')
      .refine((checks) => Object.keys(checks).length <= mostChecks, `expected at most ${mostChecks} checks`),
  },
  'expected a mapping with database and checks',
);
