import { randomBytes } from 'node:crypto';
import { renderHeader, renderUrl } from '../expressions/request-line.ts';
import { renderTemplate } from '../expressions/template.ts';
import type { RunVariable } from '../expressions/variables.ts';
import { runIdOf } from '../history/run-id.ts';
import type { Firing, JsonValue, Order, SweepOrder } from '../workflows/contract.ts';
import type { HttpRequest } from './http-exchange.ts';

/** Builds the request of a run: its template with every placeholder filled in, and the headers that every request has. */
export function buildRequest(order: SweepOrder, firing: Firing, variables: ReadonlyMap<string, string>): HttpRequest {
  const runId = runIdOf(order.definition.uuid, firing);
  const lookup = (name: string) => variables.get(name) ?? describeRun(name, order, firing, runId);
  const { request } = order.sweep;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    headers[name.toLowerCase()] = renderHeader(name, value, lookup);
  }
  const body = request.body === undefined ? undefined : renderTemplate(request.body, lookup);
  return {
    method: request.method,
    url: renderUrl(request.url, lookup),
    headers: { ...defaultHeaders(body), ...headers, ...runHeaders(runId) },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  };
}

function describeRun(name: string, order: Order, firing: Firing, runId: string): string | number | undefined {
  switch (name as RunVariable) {
    case 'budget.max_seconds':
      return order.budget.maxSeconds;
    case 'definition.id':
      return order.definition.id;
    case 'run.id':
      return runId;
    case 'run.source':
      return firing.source;
    case 'run.trigger':
      return firing.trigger;
    case 'run.scheduled_at':
      return firing.scheduledAt;
  }
}

function defaultHeaders(body: JsonValue | undefined): Record<string, string> {
  const accept = { accept: 'application/json', 'user-agent': 'activity-core' };
  if (body === undefined) return accept;
  return { ...accept, 'content-type': typeof body === 'string' ? 'text/plain; charset=utf-8' : 'application/json' };
}

/** A target that sees the same key twice is asked for the same run; the trace is named by the run as well. */
function runHeaders(runId: string): Record<string, string> {
  const traceId = runId.replaceAll('-', '');
  return { 'idempotency-key': runId, traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` };
}
