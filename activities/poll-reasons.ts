import { seconds } from './reasons.ts';

/** Every sentence that says why an operation could not be followed to its end. */
export const pollReasons = {
  noLocation: (status: number) =>
    `the target answered ${status} without a Location header; say in \`poll.url\` where its operation is found`,
  notUrl: (found: string) => `the place of the operation is ${found}, which is not an http or https URL`,
  forgotten: (url: string, status: number) =>
    `the target forgot the operation ${url}: it answered ${status}; how it ended is unknown`,
  accepted: (url: string) => `; it had accepted the operation ${url}`,
  hardTimeout: (url: string, hardTimeoutMs: number, lastFault: string | undefined) =>
    `the operation ${url} had not ended by the hard timeout of ${seconds(hardTimeoutMs)}${lastFault === undefined ? '' : `; the last poll failed: ${lastFault}`}`,
} as const;
