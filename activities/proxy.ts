import { BlockList, isIP } from 'node:net';
import { checkAddress } from './forbidden-addresses.ts';
import { ExchangeError } from './exchange-fault.ts';
import { nameHost } from './host-patterns.ts';

/** A proxy on the way to a target. */
export interface Proxy {
  url: URL;
  /** `Proxy-Authorization`, from the user and password in its URL. */
  headers: Record<string, string>;
}

/**
 * Finds the proxy for a URL by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (small letters win, as in curl); loopback is
 * always reached directly.
 *
 * @throws ExchangeError where the variable holds no http or https URL; the message does not quote it
 */
export function findProxy(target: URL, environment: Record<string, string | undefined>): Proxy | undefined {
  const read = (name: string) => {
    const value = environment[name.toLowerCase()] || environment[name];
    return value === undefined || value.trim() === '' ? undefined : { name, value: value.trim() };
  };
  const chosen = read(target.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY') ?? read('ALL_PROXY');
  if (chosen === undefined || isDirect(target, read('NO_PROXY')?.value ?? '')) return undefined;
  const { name, value } = chosen;
  const written = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new ExchangeError(`the worker's ${name} is not the URL of an http or https proxy`);
  }
  if (url.username === '' && url.password === '') return { url, headers: {} };
  const user = `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}`;
  const headers = { 'proxy-authorization': `Basic ${Buffer.from(user).toString('base64')}` };
  return { url, headers };
}

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

function isDirect(target: URL, noProxy: string): boolean {
  const host = nameHost(target.hostname);
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  if (isIP(host) !== 0 && checkAddress(loopback, host)) return true;
  const port = target.port === '' ? (target.protocol === 'https:' ? '443' : '80') : target.port;
  return noProxy.split(/[\s,]+/).some((entry) => entry !== '' && fits(entry.toLowerCase(), host, port));
}

/** `*`, a domain with all below it (with or without a dot before it), an address, a network, each but that with a port. */
function fits(entry: string, host: string, port: string): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isIP(host) !== 0 && fitsNetwork(entry, host);
  const isBareAddress = isIP(entry) === 6;
  const [, written = entry, only] = (isBareAddress ? null : /^(.*):(\d+)$/.exec(entry)) ?? [];
  if (only !== undefined && only !== port) return false;
  const name = nameHost(written).replace(/^\*?\./, '');
  return host === name || (isIP(host) === 0 && host.endsWith(`.${name}`));
}

function fitsNetwork(entry: string, host: string): boolean {
  const [address = '', bits] = entry.split('/');
  const family = isIP(address);
  const widest = family === 4 ? 32 : 128;
  if (family === 0 || !/^\d{1,3}$/.test(bits ?? '') || Number(bits) > widest) return false;
  const network = new BlockList();
  network.addSubnet(address, Number(bits), family === 4 ? 'ipv4' : 'ipv6');
  return checkAddress(network, host);
}
