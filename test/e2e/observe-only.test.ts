import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AuditRow } from '../../infra/local/estate.ts';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { read } from '../infra/docs/documents.ts';
import { bootEstate } from './support.ts';

const HOUR = 3_600_000;
/** Whom an incident is about: it holds a role at one key. */
const INTRUDER = IDENTITIES.consumer.objectId;

let estate: RunningEstate;
let look: Observer;
const rows: AuditRow[] = [];

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    detection: true,
    // As a template that is deployed without restores and without responds.
    settings: { MHSM_IDENTITY_RESTORE: '', MHSM_IDENTITY_RESPOND: '', MHSM_IDENTITY_REINSTATE: '' },
    onHappening: (happening) => {
      if (happening.kind === 'audit') rows.push(happening.row);
    },
  }));
  await look.writePolicy(read('infra/docs/observe-only.json'));
  const [hsm] = estate.hsms;
  const shape = { kty: 'EC-HSM', crv: 'P-256', keyOps: ['sign', 'verify'] } as const;
  await hsm?.plant({ name: 'due', ...shape, keyOps: [...shape.keyOps], created: '-P350D', expires: 'P10D' });
  await hsm?.plant({ name: 'expired', ...shape, keyOps: [...shape.keyOps], created: '-P370D', expires: '-P5D' });
  await hsm?.plant({
    name: 'by-itself',
    ...shape,
    keyOps: [...shape.keyOps],
    created: '-P179D',
    expires: 'P186D',
    // The HSM makes a version of it within the days that are played.
    rotationPolicy: { expiryTime: 'P1Y', rotate: { timeAfterCreate: 'P180D' } },
  });
  await hsm?.grant([{ identity: 'consumer', role: 'Managed HSM Crypto User', scope: '/keys/due' }]);
});
afterAll(() => estate?.stop());

describe('the policy infra/docs/observe-only.json', () => {
  test('lets every timer of some days and an incident pass without a call that changes or uses a key', async () => {
    const timers = (estate.host?.functions ?? []).filter(({ type }) => type === 'timerTrigger');
    expect(timers.length).toBeGreaterThan(7);
    for (let day = 0; day < 3; day++) {
      for (const { name } of timers) await estate.runTimer(name);
      await look.settled({ except: /^incident-/ });
      look.advance(24 * HOUR);
    }
    const declared = await look.api('POST', '/api/incidents', {
      as: 'operator',
      body: {
        hsm: 'contoso',
        key: 'due',
        caller: INTRUDER,
        class: 'misuse',
        severity: 'Critical',
        reason: 'rehearsal',
      },
    });
    expect(declared.status).toBe(202);
    const isTold = () => look.mail().some(({ subject }) => /incident/i.test(subject));
    await look.eventually(isTold, 'the incident to be told');
    await look.settled({ except: /^incident-/ });

    const ours = new Map(Object.values(IDENTITIES).map(({ objectId, name }) => [objectId, name]));
    const callers = new Set(rows.map(({ identity }) => ours.get(identity.oid ?? '')));
    expect([...callers].filter((name) => name !== undefined)).toEqual(['observe']);
    const observed = rows.filter(({ identity }) => identity.oid === IDENTITIES.observe.objectId);
    expect(observed.map(({ operationName }) => operationName).filter((name) => !READS.test(name))).toEqual([]);
    expect(look.events('KeyNewVersionCreated').map(({ subject }) => subject)).toEqual(['keys/by-itself']);
    expect(look.versions().get('contoso/due')).toBe(1);
  });
});

const READS = /(Get|List|ListVersions)$/;
