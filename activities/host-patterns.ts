import { BlockList, isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { checkAddress, isForbiddenAddress } from './forbidden-addresses.ts';

/** The hosts of an allow list, ready to be asked. */
export interface HostPatterns {
  /** Entries that are no pattern. */
  faults: string[];
  /** Whether the list names this host itself, or by `*.domain`; `port` is the one that the request goes to. */
  namesHost(host: string, port: number): 'exactly' | 'by domain' | undefined;
  /** Whether the list holds networks at all, so that a name may turn out to be allowed by its address. */
  hasNetworks: boolean;
  holdsAddress(address: string): boolean;
  /** Whether it is held by an entry that was plainly meant to open a forbidden address; `0.0.0.0/0` was not. */
  holdsExplicitly(address: string): boolean;
}

/** The widest networks that can only have been meant to open what is forbidden. */
const widestExplicitBits = { 4: 8, 6: 10 } as const;

/** Reads `hub.example.org`, `*.svc.cluster.local`, `10.0.0.0/8`, `[fd00::1]` and the like, each but networks also with a port. */
export function parseHostPatterns(text: string): HostPatterns {
  const faults: string[] = [];
  const hosts: { host: string; port?: number }[] = [];
  const all = new BlockList();
  const explicit = new BlockList();
  let hasNetworks = false;
  for (const entry of text.split(/[\s,]+/).filter((part) => part !== '')) {
    const network = parseNetwork(entry);
    const host = network === undefined ? parseHost(entry) : undefined;
    if (network !== undefined) {
      const { address, bits, family } = network;
      hasNetworks = true;
      all.addSubnet(address, bits, `ipv${family}`);
      if (bits >= widestExplicitBits[family] && isForbiddenAddress(address)) {
        explicit.addSubnet(address, bits, `ipv${family}`);
      }
    } else if (host !== undefined) hosts.push(host);
    else faults.push(entry);
  }
  return {
    faults,
    hasNetworks,
    namesHost(host, port) {
      const fitting = hosts.filter((pattern) => pattern.port === undefined || pattern.port === port);
      if (fitting.some((pattern) => pattern.host === host)) return 'exactly';
      const isInDomain = fitting.some(({ host: name }) => name.startsWith('*.') && host.endsWith(name.slice(1)));
      return isInDomain ? 'by domain' : undefined;
    },
    holdsAddress: (address) => checkAddress(all, address),
    holdsExplicitly: (address) => checkAddress(explicit, address),
  };
}

/** An address is a network of one. */
function parseNetwork(entry: string): { address: string; bits: number; family: 4 | 6 } | undefined {
  const [, written = '', length] = /^\[?([\da-f:.]+)\]?(?:\/(\d{1,3}))?$/i.exec(entry) ?? [];
  const family = isIP(written);
  if (family !== 4 && family !== 6) return undefined;
  const widest = family === 4 ? 32 : 128;
  const bits = length === undefined ? widest : Number(length);
  return bits > widest ? undefined : { address: written, bits, family };
}

function parseHost(entry: string): { host: string; port?: number } | undefined {
  const [, written = '', port] = /^(\[[\da-f:.]+\]|[^:/@[\]]+)(?::(\d{1,5}))?$/i.exec(entry) ?? [];
  const wildcard = written.startsWith('*.') ? '*.' : '';
  const bare = written.slice(wildcard.length);
  const host = bare.startsWith('[') ? bare.slice(1, -1).toLowerCase() : nameHost(domainToASCII(bare));
  if (host === '' || host.includes('*')) return undefined;
  return { host: wildcard + host, ...(port === undefined ? {} : { port: Number(port) }) };
}

/** A host as it is compared: without the brackets of an IPv6 address and the dot at the end of a full name. */
export function nameHost(host: string): string {
  return host
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
}
