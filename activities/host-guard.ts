import { lookup as lookUp } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import { type LookupFunction, isIP } from 'node:net';
import { ForbiddenHostError } from './exchange-fault.ts';
import { isForbiddenAddress, metadataNames } from './forbidden-addresses.ts';
import { type HostPatterns, nameHost, parseHostPatterns } from './host-patterns.ts';

const variable = 'ACTCORE_ALLOWED_HOSTS';

/** Decides which hosts a worker may talk to: what a definition, or a target's answer, names is not trusted. */
export interface HostGuard {
  /**
   * Judges a URL before anything is looked up. `isResolvedByProxy` where nobody but a proxy will see its address.
   *
   * @throws ForbiddenHostError
   */
  check(url: URL, isResolvedByProxy?: boolean): void;
  /** A name lookup for `net.connect` that gives only addresses that may be talked to, or fails with ForbiddenHostError. */
  lookupFor(url: URL): LookupFunction;
}

/** Looks a name up; all of its addresses. */
export type Resolve = (
  hostname: string,
  options: { all: true; family?: number; hints?: number },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * The guard of a worker, by `ACTCORE_ALLOWED_HOSTS` of its environment. Without it every host is allowed whose addresses are
 * not link-local or a cloud's metadata service; those are opened only by an entry that names them. Loopback is allowed.
 */
export function openHostGuard(environment: Record<string, string | undefined>, resolve: Resolve = lookUp): HostGuard {
  const listed = environment[variable] ?? '';
  const patterns = parseHostPatterns(listed);
  const isLimited = listed.trim() !== '';
  const mayReach = (address: string, namedBy: ReturnType<HostPatterns['namesHost']>) => {
    if (isForbiddenAddress(address)) return patterns.holdsExplicitly(address);
    return !isLimited || namedBy !== undefined || patterns.holdsAddress(address);
  };
  return {
    check(url, isResolvedByProxy = false) {
      refuseFaults(patterns);
      const host = nameHost(url.hostname);
      const namedBy = patterns.namesHost(host, portOf(url));
      if (isIP(host) !== 0) {
        const isOpen = isForbiddenAddress(host)
          ? namedBy === 'exactly' || mayReach(host, namedBy)
          : mayReach(host, namedBy);
        if (!isOpen) throw new ForbiddenHostError(sayForbidden(host, isForbiddenAddress(host)));
        return;
      }
      if (metadataNames.has(host) && namedBy !== 'exactly') throw new ForbiddenHostError(sayForbidden(host, true));
      if (!isLimited || namedBy !== undefined) return;
      if (isResolvedByProxy || !patterns.hasNetworks) throw new ForbiddenHostError(sayForbidden(host, false));
    },
    lookupFor(url) {
      const host = nameHost(url.hostname);
      const namedBy = patterns.namesHost(host, portOf(url));
      const isMeant = metadataNames.has(host) && namedBy === 'exactly';
      return limitLookup(resolve, (address) => isMeant || mayReach(address, namedBy));
    },
  };
}

function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}

function refuseFaults({ faults }: HostPatterns): void {
  if (faults.length === 0) return;
  const told = faults.map((fault) => `\`${fault}\``).join(', ');
  throw new ForbiddenHostError(
    `the worker's ${variable} holds ${told}, which is no host, *.domain, address or network; nothing is sent until it is right`,
  );
}

function sayForbidden(host: string, isReserved: boolean, addresses: string[] = []): string {
  const via = addresses.length === 0 ? '' : `, which resolves to ${addresses.join(', ')},`;
  return isReserved
    ? `${host}${via} is link-local or serves a cloud's metadata; it is refused unless ${variable} of the worker names it`
    : `${host}${via} is not among the hosts that ${variable} of the worker allows`;
}

/** What is connected to is what was checked: no second lookup takes place that could give another address. */
function limitLookup(resolve: Resolve, mayReach: (address: string) => boolean): LookupFunction {
  return (hostname, { all, family, hints }, callback) => {
    const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : family;
    const options = {
      all: true,
      ...(wanted === undefined ? {} : { family: wanted }),
      ...(hints === undefined ? {} : { hints }),
    } as const;
    resolve(hostname, options, (error, addresses) => {
      if (error) {
        callback(error, []);
        return;
      }
      const open = addresses.filter(({ address }) => mayReach(address));
      const first = open[0];
      if (first === undefined) {
        const found = addresses.map(({ address }) => address);
        callback(new ForbiddenHostError(sayForbidden(hostname, found.some(isForbiddenAddress), found)), []);
      } else if (all === true) callback(null, open);
      else callback(null, first.address, first.family);
    });
  };
}
