import { z } from 'zod';
import { addRemark, celField } from './fields.ts';
import { statusField } from './status-field.ts';

/** The methods a sweep may use; a GET or a DELETE has no body. */
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

const text = z.string('expected text; put quotes around it');

const textsExpectation = 'expected text or a list of texts; put quotes around it';

const authSchema = z
  .strictObject(
    {
      basic: z
        .strictObject({ username: text, password: text }, 'expected a mapping with username and password')
        .optional(),
      bearer: text.min(1, 'expected a token such as ${TOKEN}').optional(),
    },
    'expected { bearer: "${TOKEN}" } or { basic: { username, password } }',
  )
  .superRefine(({ basic, bearer }, context) => {
    if (basic === undefined || bearer === undefined) return;
    const message = '`auth` has both `basic` and `bearer`';
    addRemark(context, { path: ['bearer'], atKey: true, message, hint: 'keep one' });
  });

const fileName = z.string('expected the name of a PEM file on the worker').min(1, 'expected the name of a PEM file');

const tlsSchema = z
  .strictObject(
    { ca: fileName.optional(), cert: fileName.optional(), key: fileName.optional() },
    'expected a mapping with the names of PEM files: ca, or cert and key',
  )
  .superRefine(({ cert, key }, context) => {
    if ((cert === undefined) === (key === undefined)) return;
    const [stated, missing] = cert === undefined ? ['key', 'cert'] : ['cert', 'key'];
    const message = `\`${stated}\` is here without \`${missing}\``;
    addRemark(context, { path: [stated], atKey: true, message, hint: 'a client certificate takes both files' });
  });

const statusesExpectation = 'expected a list of statuses such as [200, 204, "2xx", "400-404"]';

const expectSchema = z.strictObject(
  {
    status: z.array(statusField, statusesExpectation).min(1, statusesExpectation).optional(),
    condition: celField('bool').optional(),
  },
  'expected a mapping such as { status: [200, 204] } or { condition: body.ok }',
);

/** An HTTP request of a sweep or of a remedy. */
export const requestSchema = z.strictObject(
  {
    method: z.enum(methods),
    url: z.string('expected a URL such as ${STATE_HUB_URL}/consistency/sweep'),
    query: z
      .record(z.string(), z.union([text, z.array(text)], textsExpectation), 'expected a mapping from name to text')
      .optional(),
    headers: z.record(z.string(), text, 'expected a mapping from header to text').default({}),
    auth: authSchema.optional(),
    body: z.unknown().optional(),
    form: z.record(z.string(), text, 'expected a mapping from field to text').optional(),
    tls: tlsSchema.optional(),
    expect: expectSchema.optional(),
  },
  'expected a mapping with method and url',
);

/** The keys of a request once each by itself is right. */
export type RequestKeys = z.output<typeof requestSchema>;
