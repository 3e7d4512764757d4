import { DAY, HOUR, MINUTE } from '../calendar.ts';
import { randomFor } from '../random.ts';
import type { Consumer, Site } from '../site.ts';

const BIN = 10 * MINUTE;

export interface Rotation {
  key: string;
  at: number;
  version: string;
}

/** Draws when each key in use gets new versions, and enters them in the site: every other source needs to know. */
export function planRotations(site: Site): Rotation[] {
  const rotations: Rotation[] = [];
  const [low, high] = site.parameters.automation.rotationDays;
  const consumers = [...site.storage, ...site.minor, ...site.sql, site.signing, site.envelope, site.batch];
  for (const { key } of consumers) {
    const random = randomFor(site.seed, site.hsm, 'rotation', key);
    const apart = random.between(low, high) * DAY;
    for (let day = site.from + random.next() * apart; day < site.to - DAY; day += apart) {
      const at = Math.round(site.calendar.atLocalHour(day, 0) + random.next() * 5 * HOUR);
      if (at <= site.from) continue;
      const version = random.hex(32);
      site.keys.get(key)?.versions.push({ version, createdOn: at });
      rotations.push({ key, at, version });
    }
  }
  return rotations;
}

/** One rotation of the signing key answers a compromise, and its application follows at once. */
export function compromiseRotation(site: Site): Rotation | undefined {
  const random = randomFor(site.seed, site.hsm, 'compromise');
  // At the start of a bin, because calls are counted in bins and the application changes over from one to the next.
  const at = Math.floor((site.judged + (0.1 + 0.7 * random.next()) * (site.to - site.judged)) / BIN) * BIN;
  const key = site.keys.get(site.signing.key);
  if (!key || at <= site.from) return undefined;
  const version = random.hex(32);
  key.versions.push({ version, createdOn: at });
  key.versions.sort((left, right) => left.createdOn - right.createdOn);
  return { key: key.name, at, version };
}

/** The version that a consumer uses: a service looks for a new one now and then, not at once. */
export function versionInUse(
  site: Site,
  consumer: Pick<Consumer, 'key' | 'adoptsAfter'>,
  at: number,
  back = 0,
): string {
  const versions = site.keys.get(consumer.key)?.versions ?? [];
  let newest = 0;
  for (let index = 1; index < versions.length; index++) {
    if ((versions[index]?.createdOn ?? Number.POSITIVE_INFINITY) + consumer.adoptsAfter <= at) newest = index;
  }
  return versions[Math.max(0, newest - back)]?.version ?? '';
}
