import { HOUR, MINUTE } from '../calendar.ts';
import { shapes, type Verb } from '../operations.ts';
import type { Consumer, Site } from '../site.ts';
import { type Attack, type AttackScene, type Done, person, stranger, versionOf } from './attack.ts';

const storage = (site: Site, index: number): Consumer => site.storage[index % site.storage.length] as Consumer;

/** More of what the caller always does. */
function more({ site, tape, at }: AttackScene, consumer: Consumer, verb: Verb, count: number, span: number): Done {
  const shape = shapes.crypto(verb, consumer.key, versionOf(site, consumer.key, at));
  tape.call(consumer, shape, at, { count, span });
  return { until: at + span, callers: [consumer.caller.oid], keys: [consumer.key] };
}

const volume = {
  id: 'S17',
  expected: ['D11'],
  class: 'misuse',
  critical: false,
  lane: 'statistic',
  target: 80,
} as const;
const slow = {
  id: 'S18',
  expected: ['D11'],
  class: 'misuse',
  critical: false,
  lane: 'statistic',
  target: 24 * 60,
} as const;

/** S15 to S21: keys used by those who should not, or more than they should. */
export const MISUSE: Attack[] = [
  {
    ...{ id: 'S15', title: 'Thirty keys tried and refused, then one opens', expected: ['D8'], target: 20 },
    ...{ class: 'misuse', critical: false, lane: 'statistic' },
    touches: (site) => [site.minor[1]?.key ?? ''],
    run({ site, tape, at, random }) {
      const who = stranger(random, site);
      const names = random.shuffled(
        [...site.minor, ...site.storage, ...site.sql, site.signing, site.envelope, site.batch].map(({ key }) => key),
      );
      const tried = Array.from({ length: 30 }, (_, index) => names[index % names.length] ?? site.batch.key);
      for (const [index, name] of tried.entries())
        tape.call(who, shapes.crypto('unwrapkey', name, versionOf(site, name, at)), at + index * 15_000, {
          status: 403,
        });
      const key = site.minor[1]?.key ?? site.batch.key;
      tape.call(who, shapes.crypto('unwrapkey', key, versionOf(site, key, at)), at + 9 * MINUTE);
      return { until: at + 9 * MINUTE, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{ id: 'S16', title: "Storage identity's token used from a public address", expected: ['D10', 'D9'], target: 20 },
    ...{ class: 'misuse', critical: true, lane: 'statistic' },
    touches: (site) => [storage(site, 1).caller.oid],
    run(scene) {
      const thief = {
        ...storage(scene.site, 1),
        address: '198.51.100.77',
        trustedService: '',
        userAgent: 'curl/8.5.0',
      };
      return more(scene, thief, 'unwrapkey', 20, 8 * MINUTE);
    },
  },
  {
    ...{ ...volume, variant: 'night', title: 'Application identity unwraps 1,500 more at 03:00', legal: 'night' },
    touches: (site) => [site.envelope.key],
    run: (scene) => more(scene, scene.site.envelope, 'unwrapkey', 1500, 40 * MINUTE),
  },
  {
    ...{ ...volume, variant: 'peak', title: 'Application identity unwraps 4,000 more at the peak', legal: 'peak' },
    touches: (site) => [site.envelope.key],
    run: (scene) => more(scene, scene.site.envelope, 'unwrapkey', 4000, 40 * MINUTE),
  },
  {
    ...{
      ...volume,
      variant: 'weekend',
      title: 'Application identity signs 1,500 more an hour at the weekend',
      legal: 'weekend',
    },
    ...{ hours: 4 },
    touches: (site) => [site.signing.key],
    run: (scene) => more(scene, scene.site.signing, 'sign', 6000, 4 * HOUR - MINUTE),
  },
  {
    ...{ ...volume, variant: 'batch', title: 'Batch identity unwraps 4,000 in the afternoon', legal: 'afternoon' },
    touches: (site) => [site.batch.key],
    run: (scene) => more(scene, scene.site.batch, 'unwrapkey', 4000, 40 * MINUTE),
  },
  {
    ...{ ...volume, variant: 'storage', title: 'Storage identity unwraps 60 more in an hour' },
    touches: (site) => [storage(site, 4).key],
    run: (scene) => more(scene, storage(scene.site, 4), 'unwrapkey', 60, 50 * MINUTE),
  },
  {
    ...{ ...slow, variant: 'drip', title: 'Storage identity unwraps 6 more an hour for a day', hours: 24 },
    touches: (site) => [storage(site, 5).key],
    run: (scene) => more(scene, storage(scene.site, 5), 'unwrapkey', 144, 24 * HOUR - MINUTE),
  },
  {
    ...{ ...slow, variant: 'quarter', title: 'Application identity signs a quarter more for two days', hours: 48 },
    touches: (site) => [site.signing.key],
    run({ site, tape, at, benign }) {
      const { key, caller } = site.signing;
      for (const call of benign.calls) {
        if (call.key !== key || call.operation !== 'KeySign' || call.at < at || call.at >= at + 48 * HOUR) continue;
        const count = Math.round(call.count / 4);
        if (count > 0)
          tape.call(site.signing, shapes.crypto('sign', key, call.version), call.at, { count, span: call.span });
      }
      return { until: at + 48 * HOUR, callers: [caller.oid], keys: [key] };
    },
  },
  {
    ...{ id: 'S19', variant: 'dormant', title: 'Dormant key opened five times', expected: ['D12'], target: 80 },
    ...{ class: 'misuse', critical: false, lane: 'statistic' },
    touches: (site) => [site.dormant[0] ?? '', storage(site, 2).caller.oid],
    run(scene) {
      const key = scene.site.dormant[0] ?? scene.site.batch.key;
      return more(scene, { ...storage(scene.site, 2), key }, 'unwrapkey', 5, 4 * MINUTE);
    },
  },
  {
    ...{ id: 'S19', variant: 'decoy', title: 'Decoy key read', expected: ['D12'], target: 15 },
    ...{ class: 'misuse', critical: true, lane: 'rule' },
    touches: (site) => [person(site, 1).caller.oid],
    run({ site, tape, at }) {
      const who = person(site, 1);
      const key = site.decoys[0] ?? '';
      tape.call(who, shapes.getKey(key), at);
      return { until: at, callers: [who.caller.oid], keys: [key] };
    },
  },
  {
    ...{
      id: 'S20',
      title: 'Old version signs after a rotation that answered a compromise',
      expected: ['D13'],
      target: 20,
    },
    ...{ class: 'misuse', critical: true, lane: 'rule' },
    at: (_site, benign) => benign.compromisedAt + 5 * HOUR,
    touches: (site) => [site.signing.key],
    run({ site, tape, at }) {
      const { key, caller } = site.signing;
      const thief = { ...site.signing, address: '10.1.0.88' };
      tape.call(thief, shapes.crypto('sign', key, versionOf(site, key, at, 1)), at, { count: 4, span: 3 * MINUTE });
      return { until: at + 3 * MINUTE, callers: [caller.oid], keys: [key] };
    },
  },
  {
    ...{
      id: 'S21',
      variant: 'human',
      title: 'Administrator decrypts with an application key',
      expected: ['D14'],
      target: 20,
    },
    ...{ class: 'misuse', critical: true, lane: 'statistic' },
    touches: (site) => [person(site, 3).caller.oid],
    run({ site, tape, at }) {
      const who = person(site, 3);
      const { key } = site.envelope;
      tape.call(who, shapes.crypto('decrypt', key, versionOf(site, key, at)), at, { count: 3, span: 2 * MINUTE });
      return { until: at + 2 * MINUTE, callers: [who.caller.oid], keys: [] };
    },
  },
  {
    ...{ id: 'S21', variant: 'service', title: 'Storage identity signs', expected: ['D14'], target: 20 },
    ...{ class: 'misuse', critical: true, lane: 'statistic' },
    touches: (site) => [storage(site, 6).caller.oid],
    run: (scene) => more(scene, storage(scene.site, 6), 'sign', 3, 2 * MINUTE),
  },
];
