import { DAY, HOUR } from '../calendar.ts';
import { shapes } from '../operations.ts';
import { randomFor } from '../random.ts';
import type { Client, Site } from '../site.ts';
import type { Tape } from '../tape.ts';

const NOBODY = { oid: '', app: '', upn: '' };

/** Azure's own visits, and what clients provoke by nature. */
export function platform(site: Site, tape: Tape): void {
  const random = randomFor(site.seed, site.hsm, 'platform');
  const names = [...site.keys.values()].filter(({ decoy }) => !decoy).map(({ name }) => name);
  const scan = random.next() * DAY;
  for (let day = site.from; day < site.to; day += DAY) {
    tape.call(site.policyScan, shapes.listKeys(), day + scan);
    for (const [index, name] of names.entries())
      tape.call(site.policyScan, shapes.getKey(name), day + scan + 500 + index * 300);
  }
  // A fresh client asks without a token first and is told where to get one.
  const clients: Client[] = [...site.storage, ...site.sql, site.signing, site.envelope, site.own.observe];
  for (let hour = site.from; hour < site.to; hour += HOUR) {
    for (let left = random.poisson(4); left > 0; left--) {
      const client = { ...random.pick(clients), caller: NOBODY };
      tape.call(client, shapes.challenge(), hour + random.next() * HOUR);
    }
  }
}
