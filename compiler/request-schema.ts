import { z } from 'zod';

/** The methods a sweep may use; a GET or a DELETE has no body. */
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

/** An HTTP request of a sweep or of a remedy. */
export const requestSchema = z.strictObject(
  {
    method: z.enum(methods),
    url: z.string('expected a URL such as ${STATE_HUB_URL}/consistency/sweep'),
    headers: z
      .record(z.string(), z.string('expected text; put quotes around it'), 'expected a mapping from header to text')
      .default({}),
    body: z.unknown().optional(),
  },
  'expected a mapping with method and url',
);
