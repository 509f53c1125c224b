import { z } from 'zod';
import { checkCel } from '../expressions/cel.ts';
import { addFault, celField, countField, durationField, lineField } from './fields.ts';
import { requestSchema } from './request-schema.ts';

const outcomeSchema = z.strictObject(
  {
    lock_skipped: celField('bool').optional(),
    automation_error: celField('bool').optional(),
    assessment_failures: celField('list').optional(),
  },
  'expected a mapping from an outcome to a CEL expression',
);

const pollPause = { wholeSeconds: false, leastMs: 100 };

const pollSchema = z.strictObject(
  {
    when: celField('bool').optional(),
    every: durationField(pollPause).default(5_000),
    max_every: durationField(pollPause).optional(),
    url: celField('string').optional(),
    done: celField('bool'),
  },
  'expected a mapping such as { every: 5s, done: body.finished }',
);

const targetsExpectation = 'expected a list of targets, or with `request` a CEL expression that gives one';

const targetsField = z
  .union(
    [
      z.array(
        z.union(
          [z.string(), z.record(z.string(), z.unknown())],
          'expected text, or a mapping with the key that names it',
        ),
      ),
      z.string(),
    ],
    targetsExpectation,
  )
  .superRefine((targets, context) => {
    const fault = typeof targets === 'string' ? checkCel(targets, 'list') : undefined;
    if (fault) addFault(context, fault);
  });

const eachSchema = z.strictObject(
  {
    targets: targetsField,
    request: requestSchema.optional(),
    key: lineField(100).default('name'),
    concurrency: countField(1, 100, 'a whole number').default(10),
    per_target_seconds: countField(1, 86_400, 'a whole number of seconds').optional(),
    fail_when: celField('bool', 'tally').optional(),
  },
  'expected a mapping such as { targets: [north, south] }',
);

/** The keys of a sweep; what concerns several of them is checked in `check-sweep.ts`. */
export const sweepSchema = z.strictObject(
  {
    request: requestSchema,
    poll: pollSchema.optional(),
    each: eachSchema.optional(),
    outcome: outcomeSchema.default({}),
  },
  'expected a mapping with request and outcome',
);

/** The keys of a sweep once each by itself is right. */
export type SweepKeys = z.output<typeof sweepSchema>;
