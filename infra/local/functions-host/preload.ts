/**
 * Loaded with `--import` before the host: makes the estate's names resolve to loopback and `Date` follow its clock, for
 * code that knows of neither (the app and its SDKs).
 */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
import { promisify } from 'node:util';
import { installMovableDate } from '../movable-date.ts';
import { hostClock } from './host-clock.ts';
import { isLoopbackName } from './loopback-names.ts';

if (process.env.WEBSITE_INSTANCE_ID !== undefined) {
  throw new Error(
    'WEBSITE_INSTANCE_ID is set: this process runs on Azure, where the preload of the embedded estate has no place.',
  );
}

const LOOPBACK: dns.LookupAddress = { address: '127.0.0.1', family: 4 };
const extra = (process.env.ESTATE_LOOPBACK_NAMES ?? '').split(/[\s,]+/).filter(Boolean);

type LookupCallback = (error: Error | null, address: string | dns.LookupAddress[], family?: number) => void;

const lookup = dns.lookup;
const lookupLoopback = (name: string, options: unknown, callback?: LookupCallback): void => {
  const done = (callback ?? options) as LookupCallback;
  if (!isLoopbackName(name, extra)) {
    Reflect.apply(lookup, dns, callback ? [name, options, callback] : [name, done]);
    return;
  }
  const all = typeof options === 'object' && options !== null && 'all' in options && options.all === true;
  process.nextTick(() => (all ? done(null, [LOOPBACK]) : done(null, LOOPBACK.address, LOOPBACK.family)));
};

const lookupPromise = dns.promises.lookup;
const lookupLoopbackPromise = async (name: string, options?: dns.LookupOptions) => {
  if (!isLoopbackName(name, extra)) return lookupPromise(name, options ?? {});
  return options?.all ? [LOOPBACK] : LOOPBACK;
};
dns.promises.lookup = lookupLoopbackPromise as typeof dns.promises.lookup;
dns.lookup = Object.assign(lookupLoopback, {
  [promisify.custom]: lookupLoopbackPromise,
}) as unknown as typeof dns.lookup;
syncBuiltinESMExports();

installMovableDate(() => hostClock.offsetMs);
