import type { CallGroup } from '../../shared/detection/audit-call.ts';
import type { KnownKey, LookedUp } from '../../shared/detection/detection-facts.ts';
import { neededLookUps } from '../../shared/detection/look-ups.ts';
import { HOUR } from '../traffic/calendar.ts';
import type { TrafficChange, TrafficGrant, TrafficRole } from '../traffic/call.ts';
import type { Site } from '../traffic/site.ts';

/** What the HSM would answer at an instant, and what it answered at the look before. */
export interface HsmState {
  advance(now: number): void;
  keys(): KnownKey[];
  /** Looks where the calls ask for it, and once an hour at everything. */
  look(now: number, calls: readonly CallGroup[]): LookedUp;
}

export function createHsmState(site: Site, changes: readonly TrafficChange[]): HsmState {
  let next = 0;
  let grants: TrafficGrant[] = [...site.grants];
  let roles: TrafficRole[] = [...site.definitions];
  let settings = { ...site.settings };
  const containers: Record<string, string | null> = {};
  const created = new Map([...site.keys].map(([name, { versions }]) => [name, versions[0]?.createdOn ?? 0]));
  const gone = new Set<string>();
  const compromised = new Map<string, string>();
  let known: KnownKey[] | undefined;
  let before = { grants, roles, settings };
  let hourly = Number.NEGATIVE_INFINITY;
  let at = site.from;
  const network = site.privateOnly
    ? { publicAccess: false, allowedRanges: [] }
    : { publicAccess: true, allowedRanges: ['203.0.113.0/24'] };

  const take = (change: TrafficChange): void => {
    switch (change.kind) {
      case 'granted':
        grants = [...grants, change.grant];
        return;
      case 'revoked':
        grants = grants.filter(({ id }) => id !== change.id);
        return;
      case 'setting':
        settings = { ...settings, [change.name]: change.value };
        return;
      case 'definition':
        roles = [...roles.filter(({ id }) => id !== change.role.id), change.role];
        return;
      case 'container':
        containers[change.job] = change.uri;
        return;
      case 'version':
        known = undefined;
        return;
      case 'compromised':
        compromised.set(change.key, new Date(change.at).toISOString());
        known = undefined;
        return;
      case 'deleted':
        gone.add(change.key);
        known = undefined;
        return;
      case 'publicAccess':
        network.publicAccess = change.on;
    }
  };
  return {
    advance(now) {
      at = now;
      for (let change = changes[next]; change && change.at <= now; change = changes[++next]) take(change);
    },
    keys() {
      known ??= [...site.keys.values()]
        .filter(({ name }) => !gone.has(name) && (created.get(name) ?? 0) <= at)
        .map(({ name, createdOn, versions, keyClass, decoy }) => {
          const since = compromised.get(name);
          return {
            name,
            createdOn: new Date(createdOn).toISOString(),
            versions: versions
              .filter((each) => each.createdOn <= at)
              .map((each) => ({
                version: each.version,
                createdOn: new Date(each.createdOn).toISOString(),
                enabled: true,
              })),
            class: keyClass,
            decoy,
            ...(since === undefined ? {} : { compromisedOn: since }),
          };
        });
      return known;
    },
    look(now, calls) {
      const needed = neededLookUps(calls);
      const all = now - hourly >= HOUR;
      const { backupJobs } = needed;
      const looked: LookedUp = {
        backupContainers: Object.fromEntries(backupJobs.map((job) => [job, containers[job] ?? null])),
        network,
      };
      if (all) hourly = now;
      if (all || needed.assignments) {
        Object.assign(looked, { assignments: grants, assignmentsBefore: before.grants });
        before = { ...before, grants };
      }
      if (all || needed.definitions) {
        Object.assign(looked, { definitions: roles, definitionsBefore: before.roles });
        before = { ...before, roles };
      }
      if (all || needed.settings) {
        Object.assign(looked, { settings, settingsBefore: before.settings });
        before = { ...before, settings };
      }
      return looked;
    },
  };
}
