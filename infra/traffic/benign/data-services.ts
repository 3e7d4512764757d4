import { DAY, HOUR, MINUTE } from '../calendar.ts';
import { shapes } from '../operations.ts';
import { randomFor } from '../random.ts';
import type { Consumer, Site } from '../site.ts';
import type { Tape } from '../tape.ts';
import { versionInUse } from './versions.ts';

/** Calls of a service with a customer-managed key: mostly unwraps, and a little by day more than by night. */
export function encryptionTraffic(
  site: Site,
  tape: Tape,
  consumer: Consumer,
  {
    perHour,
    dispersion,
    from = site.from,
    to = site.to,
  }: { perHour: number; dispersion: number; from?: number; to?: number },
): void {
  const random = randomFor(site.seed, site.hsm, 'cmk', consumer.key);
  for (let hour = Math.ceil(from / HOUR) * HOUR; hour < to; hour += HOUR) {
    const local = (site.calendar.local(hour) % DAY) / HOUR;
    const mean = perHour * (1 + 0.25 * Math.cos(((local - 14) / 12) * Math.PI));
    for (let left = random.negativeBinomial(mean, dispersion); left > 0; left--) {
      const at = hour + random.next() * HOUR;
      const wraps = random.chance(0.3);
      const back = !wraps && random.chance(0.15) ? 1 : 0;
      tape.call(
        consumer,
        shapes.crypto(wraps ? 'wrapkey' : 'unwrapkey', consumer.key, versionInUse(site, consumer, at, back)),
        at,
      );
    }
  }
}

/** A restart or failover opens everything again at once. */
function burst(site: Site, tape: Tape, consumer: Consumer, at: number, count: number, span: number): void {
  tape.call(consumer, shapes.crypto('unwrapkey', consumer.key, versionInUse(site, consumer, at)), at, { count, span });
}

export function storageTraffic(site: Site, tape: Tape): void {
  const { perHour, dispersion, restartDays, restart } = site.parameters.storage;
  for (const account of site.storage) {
    const random = randomFor(site.seed, site.hsm, 'storage', account.key);
    encryptionTraffic(site, tape, account, { perHour: random.between(...perHour), dispersion });
    const check = random.next() * DAY;
    for (let day = site.from; day < site.to; day += DAY) tape.call(account, shapes.getKey(account.key), day + check);
    for (
      let at = site.from + random.exponential(restartDays * DAY);
      at < site.to;
      at += random.exponential(restartDays * DAY)
    )
      burst(site, tape, account, at, random.between(...restart), 10 * MINUTE);
  }
  for (const scope of site.minor)
    encryptionTraffic(site, tape, scope, { perHour: site.parameters.minor.perHour, dispersion });
}

export function sqlTraffic(site: Site, tape: Tape): void {
  const { perHour, failoverDays } = site.parameters.sql;
  for (const server of site.sql) {
    const random = randomFor(site.seed, site.hsm, 'sql', server.key);
    encryptionTraffic(site, tape, server, { perHour: random.between(...perHour), dispersion: 10 });
    const check = random.next() * HOUR;
    for (let hour = site.from; hour < site.to; hour += HOUR) tape.call(server, shapes.getKey(server.key), hour + check);
    for (
      let at = site.from + random.exponential(failoverDays * DAY);
      at < site.to;
      at += random.exponential(failoverDays * DAY)
    )
      burst(site, tape, server, at, server.databases, 5 * MINUTE);
  }
}
