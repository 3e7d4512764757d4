import { beforeEach, describe, expect, test } from 'vitest';
import { appendCustodyFacts } from '../../../functions/activities/custody-ledger.ts';
import { custodyWatchActivities } from '../../../functions/activities/custody-watch.ts';
import type { CustodyFact } from '../../../shared/custody/ledger.ts';
import { createFakeWorld, type FakeWorld } from '../../support/world.ts';

const DOMAIN = 'security domain of contoso';
const FINGERPRINTS = ['a', 'b', 'c'].map((letter) => letter.repeat(64));
const HOLDERS = ['Ada', 'Bob', 'Eve'];

let world: FakeWorld;
let facts: CustodyFact[];

beforeEach(() => {
  world = createFakeWorld();
  const base = { securityDomain: DOMAIN, at: '2029-12-20T00:00:00Z', by: 'Carol' };
  facts = [
    ...FINGERPRINTS.map((fingerprint): CustodyFact => {
      const certificate = {
        ...{ fingerprint, subject: 'CN=holder', keySize: 4096 },
        ...{ notBefore: '2029-01-01T00:00:00Z', notAfter: '2032-01-01T00:00:00Z' },
      };
      return { ...base, id: `certificate-${fingerprint}`, kind: 'CertificateRegistered', certificate };
    }),
    {
      ...{ ...base, id: 'domain', kind: 'SecurityDomainRecorded' as const },
      ...{ hsms: ['contoso'], quorum: 2, certificates: FINGERPRINTS },
    },
    ...FINGERPRINTS.map((certificate, index): CustodyFact => {
      const to = { name: HOLDERS[index] ?? '', place: `safe ${index}` };
      return { ...base, id: `given-${index}`, kind: 'ShareHandedOver', certificate, to };
    }),
    { ...base, id: 'review', kind: 'Reviewed' },
  ];
});

const watch = async (hsm = 'contoso') => {
  const { lookAtCustody } = custodyWatchActivities(world);
  const watched = await lookAtCustody({ hsm });
  if (watched.kind !== 'watched') throw new Error(`the custody is ${watched.kind}`);
  return watched.alarms;
};
const kinds = async () => (await watch()).map(({ due }) => due.notice.kind);

describe('the watch over custody', () => {
  test('says nothing while all is well', async () => {
    await appendCustodyFacts(world, DOMAIN, facts);
    expect(await kinds()).toEqual([]);
  });

  test('says that nobody recorded the security domain', async () => {
    expect(await watch()).toMatchObject([{ due: { notice: { kind: 'QuorumAtRisk', state: 'unknown' } } }]);
  });

  test('tells of a quorum at risk under another id when it worsens', async () => {
    const lost = (index: number): CustodyFact => ({
      ...{ id: `lost-${index}`, securityDomain: DOMAIN, at: '2029-12-30T00:00:00Z', by: 'Carol' },
      ...{ kind: 'ShareLost', certificate: FINGERPRINTS[index] ?? '', reason: 'fire' },
    });
    await appendCustodyFacts(world, DOMAIN, [...facts, lost(0)]);
    const [first] = await watch();
    expect(first).toMatchObject({ due: { notice: { state: 'atRisk' }, repeatAfter: 'P1D' } });
    await appendCustodyFacts(world, DOMAIN, [lost(1)]);
    const [second] = await watch();
    expect(second).toMatchObject({ due: { notice: { state: 'lost' } }, event: { alarm: 'QuorumAtRisk' } });
    expect(second?.due.id).not.toBe(first?.due.id);
  });

  test('tells of certificates that expire, and of a review that is due, each by itself', async () => {
    await appendCustodyFacts(world, DOMAIN, facts);
    world.now.value = new Date('2031-12-01T00:00:00Z');
    expect(await kinds()).toEqual(['QuorumAtRisk', 'CustodyExpiring', 'CustodyReviewDue']);
  });

  test('looks at a security domain once, whichever of its HSMs asks', async () => {
    world.hsms.push({ ...(world.hsms[0] as (typeof world.hsms)[0]), name: 'fabrikam' });
    const shared = facts.map((fact) =>
      fact.kind === 'SecurityDomainRecorded' ? { ...fact, hsms: ['contoso', 'fabrikam'] } : fact,
    );
    await appendCustodyFacts(world, DOMAIN, shared);
    const { lookAtCustody } = custodyWatchActivities(world);
    expect(await lookAtCustody({ hsm: 'fabrikam' })).toEqual({ kind: 'sharedWith', hsm: 'contoso' });
  });

  test('publishes an alarm under an id of the fact alone', async () => {
    const { publishCustodyAlarm } = custodyWatchActivities(world);
    const alarm = { hsm: 'contoso', alarm: 'QuorumAtRisk' as const, securityDomain: DOMAIN, state: 'lost-1-0-3' };
    for (const hour of ['06', '07']) {
      await publishCustodyAlarm({ ...alarm, at: `2030-01-01T${hour}:29:00.000Z`, summary: 'One of three.' });
    }
    expect(new Set(world.published.map(({ id }) => id)).size).toBe(1);
    expect(world.published[0]).toMatchObject({ type: 'QuorumAtRisk', subject: `custody/${DOMAIN}` });
  });
});

describe('the ledger', () => {
  test('keeps what two callers add at once', async () => {
    await Promise.all(facts.map((fact) => appendCustodyFacts(world, DOMAIN, [fact])));
    expect(await kinds()).toEqual([]);
    const stored = world.stored.get('state/custody/security-domain-of-contoso/ledger.json')?.text ?? '{}';
    expect(JSON.parse(stored).facts).toHaveLength(facts.length);
  });
});
