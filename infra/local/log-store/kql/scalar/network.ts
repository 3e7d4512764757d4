import { isIPv4 } from 'node:net';
import { argument, type ScalarFunction, textAt } from './function.ts';

/** An address, or a range, as its first address and prefix; null for anything else. */
function range(text: string): { address: number; prefix: number } | null {
  const [address = '', length] = text.trim().split('/');
  const prefix = length === undefined ? 32 : Number(length);
  if (!isIPv4(address) || !Number.isInteger(prefix) || prefix < 0 || prefix > 32) return null;
  return { address: address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0), prefix };
}

const network = (address: number, prefix: number): number => Math.floor(address / 2 ** (32 - prefix));

/** Source: RFC 1918, as the page of ipv4_is_private lists them. */
const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16'].map((text) => range(text));

const lies = (address: string, within: { address: number; prefix: number } | null): boolean | null => {
  const one = range(address);
  if (!one || !within) return null;
  const prefix = Math.min(one.prefix, within.prefix);
  return one.prefix >= within.prefix && network(one.address, prefix) === network(within.address, prefix);
};

export const NETWORK: Record<string, ScalarFunction> = {
  ipv4_is_private: (args) => (row) => {
    const address = textAt(argument(args, 0), row);
    return range(address) === null ? null : PRIVATE.some((one) => lies(address, one) === true);
  },
  ipv4_is_in_range: (args) => (row) => lies(textAt(argument(args, 0), row), range(textAt(argument(args, 1), row))),
  ipv4_is_in_any_range: (args) => (row) => {
    const address = textAt(argument(args, 0), row);
    if (range(address) === null) return null;
    const ranges = args.slice(1).flatMap(({ get }) => get(row) as string | string[]);
    return ranges.some((one) => lies(address, range(one)) === true);
  },
  ipv4_is_match: (args) => (row) => {
    const [left, right] = [range(textAt(argument(args, 0), row)), range(textAt(argument(args, 1), row))];
    if (!left || !right) return null;
    const prefix = Math.min(left.prefix, right.prefix, args[2] ? Number(args[2].get(row)) : 32);
    return network(left.address, prefix) === network(right.address, prefix);
  },
  parse_ipv4: (args) => (row) => range(textAt(argument(args, 0), row))?.address ?? null,
};
