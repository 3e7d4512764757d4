import type { DetectionRule } from './rule.ts';

/** What an address says. */
export interface Place {
  /** /24 of IPv4, /48 of IPv6; `no address` where it is neither. */
  network: string;
  /** The whole internet could have it: not RFC 1918, carrier-grade, loopback, link-local or unique local. */
  public: boolean;
  /** In a public range of ours. */
  allowed: boolean;
  /** On the list of hostile ranges. */
  hostile: boolean;
}

/** Reads each address once, and each range once: few addresses make many calls. */
export function createPlaces({
  allowedRanges,
  threatRanges,
}: Pick<DetectionRule['network'], 'allowedRanges' | 'threatRanges'>): (address: string) => Place {
  const allowed = allowedRanges.flatMap((range) => prefixOf(range) ?? []);
  const hostile = threatRanges.flatMap((range) => prefixOf(range) ?? []);
  const known = new Map<string, Place>();
  return (address) => {
    const found = known.get(address);
    if (found !== undefined) return found;
    const bits = bitsOf(address);
    const lies = (ranges: readonly Prefix[]) => bits !== undefined && ranges.some((range) => starts(bits, range));
    const place = {
      network: networkOf(address),
      public: bits !== undefined && !lies(PRIVATE),
      allowed: lies(allowed),
      hostile: lies(hostile),
    };
    known.set(address, place);
    return place;
  };
}

function networkOf(address: string): string {
  const v4 = parseV4(address);
  if (v4 !== undefined) return `${v4.slice(0, 3).join('.')}.0/24`;
  const v6 = parseV6(address);
  if (v6 !== undefined) return `${v6.slice(0, 3).map(hex).join(':')}::/48`;
  return 'no address';
}

interface Prefix {
  /** Bits of a whole address of this kind: those of IPv4 never match those of IPv6. */
  width: number;
  bits: string;
}

const starts = (bits: string, prefix: Prefix): boolean => bits.length === prefix.width && bits.startsWith(prefix.bits);

function prefixOf(range: string): Prefix | undefined {
  const [base = '', length] = range.split('/');
  const all = bitsOf(base);
  if (all === undefined) return undefined;
  const bits = length === undefined ? all.length : Number(length);
  if (!Number.isInteger(bits) || bits < 0 || bits > all.length) return undefined;
  return { width: all.length, bits: all.slice(0, bits) };
}

function bitsOf(address: string): string | undefined {
  const v4 = parseV4(address);
  if (v4 !== undefined) return v4.map((part) => part.toString(2).padStart(8, '0')).join('');
  return parseV6(address)
    ?.map((part) => part.toString(2).padStart(16, '0'))
    .join('');
}

function parseV4(text: string): number[] | undefined {
  const match = /^\s*(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})\s*$/.exec(text.slice(0, 40));
  const parts = match?.slice(1).map(Number);
  return parts?.every((part) => part <= 255) ? parts : undefined;
}

function parseV6(text: string): number[] | undefined {
  const address = text.slice(0, 60).trim().replace(/%.*$/, '').toLowerCase();
  if (!/^[0-9a-f:]+$/.test(address) || !address.includes(':')) return undefined;
  const halves = address.split('::');
  if (halves.length > 2) return undefined;
  const groups = (half: string | undefined) => (half ? half.split(':') : []);
  const [head, tail] = [groups(halves[0]), groups(halves[1])];
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const all = [...head, ...Array<string>(missing).fill('0'), ...tail];
  return all.every((group) => /^[0-9a-f]{1,4}$/.test(group))
    ? all.map((group) => Number.parseInt(group, 16))
    : undefined;
}

const hex = (part: number): string => part.toString(16);

/** Read once; at the end, because it needs what stands above. */
const PRIVATE: readonly Prefix[] = [
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '::1',
  'fe80::/10',
  'fc00::/7',
].flatMap((range) => prefixOf(range) ?? []);
