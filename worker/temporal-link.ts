import type { NativeConnection, NativeConnectionOptions } from '@temporalio/worker';

/** TLS and API key of a connection; without `tls` it is plain. */
export type TemporalAccess = Pick<NativeConnectionOptions, 'tls' | 'apiKey'>;

/** How often the files behind an access are looked at: certificates and keys are renewed while a worker runs. */
const lookEveryMs = 60_000;

/** What is done with an access that has changed. */
interface Renewal {
  access: TemporalAccess;
  read: () => TemporalAccess;
  /** Takes the new one into use; rejects where the server does not accept it, and the old one stays. */
  apply: (access: TemporalAccess) => Promise<void>;
  warn: (message: string) => void;
  everyMs: number | undefined;
}

/** Takes renewed files into use, until the returned function is called. */
export function followAccess({ access, read, apply, warn, everyMs = lookEveryMs }: Renewal): () => void {
  let current = fingerprint(access);
  let isBusy = false;
  const look = async () => {
    if (isBusy) return;
    isBusy = true;
    try {
      const fresh = read();
      if (fingerprint(fresh) === current) return;
      await apply(fresh);
      current = fingerprint(fresh);
      warn('the TLS files or the API key of Temporal have changed; the new ones are used from now on');
    } catch (error) {
      const says = error instanceof Error ? error.message : String(error);
      warn(`the changed TLS files or API key of Temporal cannot be used, the old ones are: ${says}`);
    } finally {
      isBusy = false;
    }
  };
  const timer = setInterval(() => void look(), everyMs).unref();
  return () => clearInterval(timer);
}

function fingerprint({ tls, apiKey }: TemporalAccess): string {
  return JSON.stringify([tls, apiKey]);
}

/** Calls that are under way on a connection that was left, polls above all, have ended by then. */
const leaveAfterMs = 300_000;

/** A connection that can be exchanged under those who hold it: every use goes to the one that is there then. */
export function holdConnection(first: NativeConnection): {
  connection: NativeConnection;
  exchange(fresh: NativeConnection): void;
  close(): Promise<void>;
} {
  let current = first;
  const left = new Set<NativeConnection>();
  const connection = new Proxy(first, {
    get(_, name) {
      const value: unknown = Reflect.get(current, name, current);
      return typeof value === 'function' ? (value.bind(current) as unknown) : value;
    },
  });
  return {
    connection,
    exchange(fresh) {
      const before = current;
      left.add(before);
      setTimeout(() => {
        if (left.delete(before)) void before.close().catch(() => {});
      }, leaveAfterMs).unref();
      current = fresh;
    },
    async close() {
      const open = [...left, current];
      left.clear();
      await Promise.allSettled(open.map((each) => each.close()));
    },
  };
}
