import { BlockList, isIPv6 } from 'node:net';

/**
 * IPv4 networks that no target lives in: "this host", link-local with the metadata service of most clouds, and the
 * metadata addresses that two clouds keep elsewhere.
 */
const networks: [address: string, prefix: number][] = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32],
  ['168.63.129.16', 32],
];

/** The same for IPv6: unspecified, link-local, and the metadata services of three clouds. */
const networks6: [address: string, prefix: number][] = [
  ['::', 128],
  ['fe80::', 10],
  ['fd00:ec2::', 32],
  ['fd20:ce::254', 128],
  ['fd00:c1::a9fe:a9fe', 128],
];

/** IPv6 networks that carry an IPv4 address behind so many bits: mapped, translated, NAT64 (RFC 6052, 8215), 6to4. */
const carriers: [prefix: string, bits: number][] = [
  ['::ffff:', 96],
  ['::ffff:0:', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 96],
  ['2002:', 16],
];

const forbidden = createForbidden();

function createForbidden(): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of networks6) list.addSubnet(address, prefix, 'ipv6');
  for (const [address, prefix] of networks) {
    list.addSubnet(address, prefix, 'ipv4');
    for (const [carrier, bits] of carriers) {
      list.addSubnet(`${carrier}${inHex(address)}${bits === 16 ? '::' : ''}`, bits + prefix, 'ipv6');
    }
  }
  return list;
}

function inHex(address: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = address.split('.').map(Number);
  return [a * 256 + b, c * 256 + d].map((group) => group.toString(16)).join(':');
}

/** The names under which clouds serve metadata: a proxy would resolve them where no check of ours can see it. */
export const metadataNames: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
]);

/** A fan-out asks thousands of times for the same few. */
const answers = new Map<string, boolean>();
const mostAnswers = 1_000;

/** Whether an IP address is one that only an explicit entry of the allow list opens. */
export function isForbiddenAddress(address: string): boolean {
  const known = answers.get(address);
  if (known !== undefined) return known;
  const answer = checkAddress(forbidden, address);
  if (answers.size >= mostAnswers) answers.clear();
  answers.set(address, answer);
  return answer;
}

/** Asks a block list about an address as resolvers give it, with or without a zone. */
export function checkAddress(list: BlockList, address: string): boolean {
  const bare = address.replace(/%.*$/, '');
  return list.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
}
