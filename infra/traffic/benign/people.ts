import { DAY, HOUR, MINUTE } from '../calendar.ts';
import { ROLES, shapes } from '../operations.ts';
import { randomFor } from '../random.ts';
import type { Site } from '../site.ts';
import type { Tape } from '../tape.ts';

/** Administrators in their working hours: they list and read, and now and then a role changes. */
export function people(site: Site, tape: Tape): void {
  const { burstsPerWeek, burst, roleChangesPerWeek, announced } = site.parameters.people;
  const random = randomFor(site.seed, site.hsm, 'people');
  const names = [...site.keys.values()].filter(({ decoy }) => !decoy).map(({ name }) => name);
  for (let day = site.from + 12 * HOUR; day < site.to; day += DAY) {
    if (!site.calendar.isWorkday(day)) continue;
    const morning = site.calendar.atLocalHour(day, 8);
    for (const person of site.people) {
      for (let left = random.poisson(burstsPerWeek / 5); left > 0; left--) {
        const at = morning + random.next() * 9 * HOUR;
        tape.call(person, shapes.challenge(), at, { status: 401 });
        tape.call(person, shapes.listKeys(), at + 1000);
        const size = random.between(...burst);
        for (const [index, name] of random.shuffled(names).slice(0, size).entries())
          tape.call(person, shapes.getKey(name), at + 2000 + index * 7000);
      }
    }
    for (let left = random.poisson(roleChangesPerWeek / 5); left > 0; left--) {
      const at = morning + random.next() * 9 * HOUR;
      const name = random.pick(names);
      const scope = `/keys/${name}`;
      const told = random.chance(announced);
      const by = told ? site.own.onboard : (site.people[0] ?? site.own.onboard);
      const grantee = random.pick(site.people);
      const id = random.guid();
      if (told) {
        tape.intents.push({
          id: `role-${id}:intent`,
          at: at - MINUTE,
          target: `keys/${name}`,
          clientId: by.caller.app,
          from: at - 6 * MINUTE,
          to: at + 20 * MINUTE,
          count: { 'rbac.assign.put': 1 },
          approvedBy: site.people[1]?.caller.upn ?? '',
        });
      }
      tape.call(by, shapes.putAssignment(scope, id), at);
      tape.changes.push({
        at,
        kind: 'granted',
        grant: { id, scope, role: ROLES.cryptoAuditor, principalId: grantee.caller.oid },
      });
      // Replicas learn of a grant minutes later: the grantee is refused first.
      if (random.chance(0.3)) tape.call(grantee, shapes.getKey(name), at + 2 * MINUTE, { status: 403 });
    }
  }
}
