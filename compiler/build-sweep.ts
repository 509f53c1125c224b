import type { EachPlan, JsonValue, PollPlan, RequestTemplate, SweepPlan } from '../workflows/contract.ts';
import type { RequestKeys } from './request-schema.ts';
import type { SweepKeys } from './sweep-schema.ts';

/** Where the pauses between polls stop growing, unless it is stated. */
const longestPauseMs = 60_000;

/** What a sweep does; what is not stated is absent, so that a new key changes no contract that is without it. */
export function buildSweep({ request, outcome, poll, each }: SweepKeys): SweepPlan {
  const { lock_skipped, automation_error, assessment_failures } = outcome;
  return {
    request: buildRequest(request),
    outcome: dropAbsent({ lock_skipped, automation_error, assessment_failures }),
    ...(poll === undefined ? {} : { poll: buildPoll(poll) }),
    ...(each === undefined ? {} : { each: buildEach(each) }),
  };
}

/** What a request holds once it is checked, placeholders still in it. */
export function buildRequest(keys: RequestKeys): RequestTemplate {
  const { method, url, headers, query, form, tls } = keys;
  return {
    method,
    url,
    headers,
    ...dropAbsent({
      body: keys.body as JsonValue | undefined,
      query,
      form,
      auth: keys.auth && buildAuth(keys.auth),
      tls: tls && dropAbsent(tls),
      expect: keys.expect && dropAbsent(keys.expect),
    }),
  };
}

function buildAuth({ basic, bearer = '' }: NonNullable<RequestKeys['auth']>): NonNullable<RequestTemplate['auth']> {
  return basic === undefined ? { bearer } : { basic };
}

function buildPoll({ when, every, max_every, url, done }: NonNullable<SweepKeys['poll']>): PollPlan {
  const maxEveryMs = max_every ?? Math.max(every, Math.min(4 * every, longestPauseMs));
  return { everyMs: every, maxEveryMs, done, ...dropAbsent({ when, url }) };
}

function buildEach(keys: NonNullable<SweepKeys['each']>): EachPlan {
  const { targets, request, key, concurrency, per_target_seconds: perTargetSeconds, fail_when: failWhen } = keys;
  return {
    targets:
      typeof targets === 'string' && request
        ? { request: buildRequest(request), list: targets }
        : (targets as JsonValue[]),
    key,
    concurrency,
    ...dropAbsent({ perTargetSeconds, failWhen }),
  };
}

/** The entries that have a value. */
function dropAbsent<Entries extends object>(entries: Entries): { [Key in keyof Entries]?: NonNullable<Entries[Key]> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Entries]?: NonNullable<Entries[Key]>;
  };
}
