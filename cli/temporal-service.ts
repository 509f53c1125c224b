import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { TLSConfig } from '@temporalio/client';
import { MissingSearchAttributesError } from '../schedules/search-attributes.ts';
import { readServerFault } from '../schedules/server-fault.ts';
import { Refusal, exitCodes } from './refusal.ts';
import type { Settings } from './settings.ts';
import { readTemporalAccess } from './temporal-access.ts';
import type { TemporalAccess } from './temporal-access.ts';
import { findTlsFault } from './temporal-tls-probe.ts';

/** Below ten seconds with the start of the program: how long an operator is left without an answer where no server is. */
const connectTimeoutMs = 4_000;
/** After this it is looked whether TLS is what stands in the way. */
const suspicionMs = 500;
/** A server that greets may be slow: to describe a schedule it waits for its own workers. */
const callTimeoutMs = 25_000;
/**
 * What is only read is asked again when no answer comes: a busy server loses a question now and then (of hundreds that
 * describe schedules, one), answers all others meanwhile, and this one at once when it is put again.
 */
const readTimeoutsMs = [6_000, 12_000, 24_000] as const;

/** A server that sees the deadline pass before the client does cancels the call. */
const cancelMarginMs = 1_000;

type Interceptor = ReturnType<typeof makeGrpcRetryInterceptor>;

/** The call that waits for the end of a run, and so has no deadline and bears a restart of the server. */
const longCall = '/GetWorkflowExecutionHistory';
const readCall = /\/(Describe|Get|List|Count|Query)\w+$/;

const retryPatiently = makeGrpcRetryInterceptor(defaultGrpcRetryOptions());
/** A server that is away is told at once: four attempts take a second. */
const retryBriefly = makeGrpcRetryInterceptor(defaultGrpcRetryOptions({ maxAttempts: 4 }));

/** Each attempt has a deadline of its own, and only one that it was too short for is followed by another. */
const askAgain: Interceptor = (options, nextCall) => {
  let [attempts, deadline] = [0, 0];
  const isOverdue = (code: number) =>
    code === grpcDeadlineExceeded || (code === grpcCancelled && Date.now() > deadline - cancelMarginMs);
  const ask = makeGrpcRetryInterceptor({
    retryableDecider: (attempt, { code }) => isOverdue(code) && attempt < readTimeoutsMs.length,
    delayFunction: () => 0,
  });
  return ask(options, (again) => {
    deadline = Date.now() + (readTimeoutsMs[attempts++] ?? callTimeoutMs);
    return retryBriefly({ ...again, deadline }, nextCall);
  });
};

const limitCall: Interceptor = (options, nextCall) => {
  const { path } = options.method_definition;
  if (path.endsWith(longCall)) return retryPatiently(options, nextCall);
  if (options.deadline !== undefined) return retryBriefly(options, nextCall);
  if (readCall.test(path)) return askAgain(options, nextCall);
  return retryBriefly({ ...options, deadline: Date.now() + callTimeoutMs }, nextCall);
};

/** Connects to Temporal for one command. Refuses, within ten seconds, where the server is not there. */
export async function withTemporal<Result>(
  settings: Settings,
  use: (client: Client, connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await connectTemporal(settings);
  try {
    return await use(new Client({ connection, namespace: settings.namespace }), connection);
  } catch (error) {
    throw explainTemporalError(error, settings);
  } finally {
    await connection.close();
  }
}

async function connectTemporal(settings: Settings): Promise<Connection> {
  const { temporalAddress, temporalAccess = {}, namespace } = settings;
  const access = readTemporalAccess(temporalAccess);
  let connection: Connection | undefined;
  const connected = new AbortController();
  try {
    const reach = (timeoutMs: number) =>
      greet({ address: temporalAddress, ...access, connectTimeout: timeoutMs }, connected.signal);
    connection = await reach(connectTimeoutMs).catch((error: unknown) => {
      // It took the connection and is slow to answer: it is there.
      if (readServerFault(error)?.code === grpcDeadlineExceeded) return reach(callTimeoutMs);
      throw error;
    });
    connected.abort();
    await connection.workflowService.describeNamespace({ namespace });
    return connection;
  } catch (error) {
    await connection?.close();
    if (readServerFault(error)?.code === grpcNotFound) {
      throw new Refusal(
        `Temporal at ${temporalAddress} has no namespace ${namespace}`,
        'Create it, or set TEMPORAL_NAMESPACE.',
      );
    }
    const explained = explainTemporalError(error, settings);
    throw explained instanceof Refusal ? explained : unreachableTemporal(temporalAddress);
  }
}

/** What it takes to reach a server, and for how long that is tried. */
type Way = TemporalAccess & { address: string; connectTimeout: number };

async function greet(way: Way, connected: AbortSignal): Promise<Connection> {
  const connection = Connection.lazy({ ...way, interceptors: [limitCall] });
  try {
    await Promise.race([
      connection.ensureConnected(),
      rejectAfter(way.connectTimeout + 500),
      rejectForTls(way.address, way.tls, connected),
    ]);
    return connection;
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** The client's own timeout does not cover all that it waits for. */
async function rejectAfter(delayMs: number): Promise<never> {
  await sleep(delayMs, undefined, { ref: false });
  throw new Error('connecting took too long');
}

/** The client takes a failed handshake for a reason to try again, until its time is over. */
async function rejectForTls(address: string, tls: TLSConfig | undefined, connected: AbortSignal): Promise<never> {
  await sleep(suspicionMs, undefined, { ref: false });
  const fault = connected.aborted ? undefined : await findTlsFault(address, tls);
  if (fault !== undefined)
    throw new Refusal(`Temporal at ${address} ${fault.says}`, fault.advice, exitCodes.unreachable);
  return new Promise(() => {});
}

const grpcCancelled = 1;
const grpcDeadlineExceeded = 4;
const grpcNotFound = 5;

/** What the server says no to for a reason of its own: invalid argument, permission, quota, state, unimplemented, credentials. */
const grpcRefusals = new Set([3, 7, 8, 9, 12, 16]);

const credentialAdvice: Record<number, string> = {
  7: 'Whoever TEMPORAL_API_KEY or TEMPORAL_TLS_CERT_FILE stand for may not do that in this namespace.',
  16: 'Check TEMPORAL_API_KEY, or TEMPORAL_API_KEY_FILE, or the client certificate.',
};

/** What is wrong inside of the server or on the way to it: unknown, aborted, internal, data lost. */
const grpcFailures = new Set([2, 10, 13, 15]);

function explainTemporalError(error: unknown, { temporalAddress }: Settings): unknown {
  if (error instanceof MissingSearchAttributesError) {
    return new Refusal(
      `The namespace ${error.namespace} lacks the search attributes ${error.missing.join(', ')}, and we may not create them`,
      `Have them created, once: ${error.commands.join('\n  or, in Temporal Cloud: ')}`,
    );
  }
  const fault = readServerFault(error);
  if (fault === undefined) return error;
  if (fault.isUnreachable) return unreachableTemporal(temporalAddress);
  if (grpcFailures.has(fault.code)) {
    return new Refusal(`Temporal at ${temporalAddress} failed: ${fault.message}`, 'Its log says why. Try again.');
  }
  if (!grpcRefusals.has(fault.code)) return error;
  return new Refusal(`Temporal at ${temporalAddress} refuses: ${fault.message}`, credentialAdvice[fault.code]);
}

function unreachableTemporal(address: string): Refusal {
  const advice = 'Start one (npm start), or set TEMPORAL_ADDRESS to host:port. actcore doctor tells what is there.';
  return new Refusal(`Temporal does not answer at ${address}`, advice, exitCodes.unreachable);
}
