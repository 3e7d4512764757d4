import { MINUTE } from '../calendar.ts';
import { shapes } from '../operations.ts';
import { type Attack, person, stranger, versionOf } from './attack.ts';

const FOREIGN = 'https://collector.blob.core.windows.net/drop';

/** S1 to S6 and S12: the root of trust, backups, restores and key material. */
export const ROOT_AND_BACKUP: Attack[] = [
  {
    ...{ id: 'S1', title: 'Stolen Administrator downloads the security domain', expected: ['D1'], target: 15 },
    ...{ class: 'rootOfTrust', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 0).caller.oid],
    run({ site, tape, at }) {
      const who = person(site, 0);
      tape.call(who, shapes.downloadDomain(), at);
      tape.call(who, shapes.downloadDomainPoll(), at + 10_000, { count: 3, span: 30_000 });
      return { until: at + 40_000, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{ id: 'S2', title: 'Transfer key read, then security domain uploaded', expected: ['D1'], target: 15 },
    ...{ class: 'rootOfTrust', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 1).caller.oid],
    run({ site, tape, at }) {
      const who = person(site, 1);
      tape.call(who, shapes.transferKey(), at);
      tape.call(who, shapes.uploadDomain(), at + 4 * MINUTE);
      return { until: at + 4 * MINUTE, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{ id: 'S3', title: 'Full backup with SAS to a foreign container, never polled', expected: ['D2'], target: 15 },
    ...{ class: 'rootOfTrust', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 2).caller.oid],
    run({ site, tape, at }) {
      const who = person(site, 2);
      tape.call(who, shapes.backup(), at);
      return { until: at, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{ id: 'S4', title: 'Stolen automation identity backs up to another container and polls', expected: ['D2'] },
    ...{ class: 'rootOfTrust', critical: true, lane: 'rule', target: 20 },
    touches: (site) => [site.own.backup.caller.oid],
    run({ site, tape, at, random }) {
      const who = site.own.backup;
      const job = random.hex(32);
      tape.changes.push({ at, kind: 'container', job, uri: FOREIGN });
      tape.call(who, shapes.backup(), at);
      tape.call(who, shapes.backupPoll(job), at + 10_000, { count: 10, span: 5 * MINUTE });
      return { until: at + 6 * MINUTE, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{ id: 'S5', title: 'Twelve keys backed up in twenty minutes', expected: ['D3', 'D14'], target: 75 },
    ...{ class: 'keyMaterial', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 3).caller.oid],
    run({ site, tape, at, random }) {
      const who = person(site, 3);
      const names = random.shuffled([...site.minor, ...site.storage].map(({ key }) => key)).slice(0, 12);
      for (const [index, name] of names.entries()) tape.call(who, shapes.backupKey(name), at + index * 100_000);
      return { until: at + 20 * MINUTE, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{ id: 'S6', title: 'Key released to a new principal', expected: ['D3'], target: 15 },
    ...{ class: 'keyMaterial', critical: true, lane: 'rule' },
    touches: (site) => [site.batch.key],
    run({ site, tape, at, random }) {
      const who = stranger(random, site);
      tape.call(who, shapes.releaseKey(site.batch.key, versionOf(site, site.batch.key, at)), at);
      return { until: at, callers: [who.caller.oid], keys: [site.batch.key] };
    },
  },
  {
    ...{ id: 'S12', title: 'Full restore of an old backup', expected: ['D2'], target: 15 },
    ...{ class: 'destruction', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 4).caller.oid],
    run({ site, tape, at }) {
      const who = person(site, 4);
      tape.call(who, shapes.restore(), at);
      return { until: at, callers: [who.caller.oid], keys: [] };
    },
  },
];
