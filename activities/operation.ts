import type { HttpResponse } from './http-client.ts';
import { readAnswer } from './answer.ts';
import type { Caller } from './caller.ts';
import { pollReasons } from './poll-reasons.ts';
import { type Answer, RuleError, applyRule, holdsRule, show } from './rule.ts';

/** An operation that a target has accepted, as a heartbeat keeps it for the worker that may have to go on with it. */
export interface Operation {
  url: string;
  /** ISO; when it was accepted. */
  startedAt: string;
  /** Which attempt of the request brought it about. */
  attempt: number;
}

/** Whether an answer says that the work was only accepted. Throws RuleError. */
export function isAccepted({ plan }: Caller, answer: Answer): boolean {
  const { poll } = plan;
  if (poll === undefined) return false;
  return poll.when === undefined ? answer.status === 202 : holdsRule('poll.when', poll.when, answer);
}

/**
 * Where an accepted operation is found: at the answer's Location, or where `poll.url` says, read against the URL of the
 * request. Secrets are still in it, for a link may be good only with its token.
 *
 * @throws RuleError
 */
export function locateOperation(caller: Caller, requestUrl: string, response: HttpResponse): string {
  const { answer } = readAnswer(response, (text) => text);
  const expression = caller.plan.poll?.url;
  const place = expression === undefined ? response.headers['location'] : applyRule('poll.url', expression, answer);
  if (place === undefined) throw new RuleError(pollReasons.noLocation(response.status));
  const url =
    typeof place === 'string' && place !== '' && URL.canParse(place, requestUrl)
      ? new URL(place, requestUrl)
      : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new RuleError(pollReasons.notUrl(show(place)));
  return url.href;
}

const mark = /\[redacted ([A-Z_][A-Z0-9_]*)\]/g;

/**
 * The URL of an operation as it may leave this worker, each secret replaced by its name. Undefined where the URL could
 * not be made again from that.
 */
export function sealUrl(
  url: string,
  redact: Caller['redact'],
  values: ReadonlyMap<string, string>,
): string | undefined {
  const sealed = redact(url);
  return unsealUrl(sealed, values) === url ? sealed : undefined;
}

/** The URL that was sealed. */
export function unsealUrl(sealed: string, values: ReadonlyMap<string, string>): string {
  return sealed.replaceAll(mark, (text, name: string) => values.get(name) ?? text);
}
