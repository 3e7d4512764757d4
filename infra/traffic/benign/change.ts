import { DAY, HOUR, MINUTE } from '../calendar.ts';
import { ROLES, shapes } from '../operations.ts';
import { randomFor } from '../random.ts';
import type { Consumer, Site } from '../site.ts';
import type { Tape } from '../tape.ts';
import { announce } from './automation.ts';
import { encryptionTraffic } from './data-services.ts';

/** Services come, announced by our own onboarding, and the keys of those that left long ago are deleted with approval. */
export function change(site: Site, tape: Tape): void {
  const random = randomFor(site.seed, site.hsm, 'change');
  const { onboardingDays, decommissionDays } = site.parameters.change;
  const by = site.own.onboard;
  const approvedBy = site.people[1]?.caller.upn ?? '';
  let number = 0;
  for (let day = site.from + random.next() * onboardingDays * DAY; day < site.to - DAY; day += onboardingDays * DAY) {
    const at = site.calendar.atLocalHour(day, 10) + random.next() * 6 * HOUR;
    const key = `tenant-${String(++number).padStart(2, '0')}`;
    const id = random.guid();
    const version = random.hex(32);
    const client: Consumer = { ...(site.storage[0] as Consumer), key, adoptsAfter: DAY };
    client.caller = { oid: random.guid(), app: random.guid(), upn: '' };
    site.keys.set(key, {
      name: key,
      createdOn: at,
      versions: [{ version, createdOn: at }],
      keyClass: 'tier1',
      decoy: false,
    });
    announce(tape, `onboard-${key}:intent`, {
      by,
      target: `keys/${key}`,
      at: at - MINUTE,
      lasts: 20 * MINUTE,
      count: { 'key.create': 1, 'rbac.assign.put': 1, 'read.key': 2 },
      approvedBy,
    });
    tape.call(by, shapes.createKey(key), at);
    tape.changes.push({ at, kind: 'version', key, version });
    tape.call(by, shapes.putAssignment(`/keys/${key}`, id), at + 20_000);
    const grant = { id, scope: `/keys/${key}`, role: ROLES.serviceEncryptionUser, principalId: client.caller.oid };
    tape.changes.push({ at: at + 20_000, kind: 'granted', grant });
    encryptionTraffic(site, tape, client, { perHour: random.between(3, 6), dispersion: 10, from: at + HOUR });
  }
  for (
    let day = site.from + random.next() * decommissionDays * DAY;
    day < site.to - DAY;
    day += decommissionDays * DAY
  ) {
    const at = site.calendar.atLocalHour(day, 11) + random.next() * 4 * HOUR;
    const key = `departed-${String(++number).padStart(2, '0')}`;
    const createdOn = site.from - 300 * DAY;
    const version = random.hex(32);
    site.keys.set(key, { name: key, createdOn, versions: [{ version, createdOn }], keyClass: 'tier2', decoy: false });
    announce(tape, `retire-${key}:intent`, {
      by,
      target: `keys/${key}`,
      at: at - MINUTE,
      lasts: 20 * MINUTE,
      count: { 'key.delete': 1, 'read.key': 2 },
      approvedBy,
    });
    tape.call(by, shapes.getKey(key), at - 5000);
    tape.call(by, shapes.deleteKey(key), at);
    tape.changes.push({ at, kind: 'deleted', key });
  }
}
