import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { STORAGE_AUDIENCE } from '../../infra/local/storage/proxy.ts';
import { bootEstate, killAt } from './support.ts';

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({ seed: 'drill' }));
  // What the custody ledger writes when people record that both share one security domain.
  for (const hsm of ['contoso', 'contoso-drill']) {
    const lineage = JSON.stringify({ schema: 1, lineage: 'security domain of contoso' });
    await estate.storage.putBlob('state', `custody/${hsm}/lineage.json`, lineage, 'application/json');
  }
  await look.api('POST', '/api/backups', { as: 'operator', body: { hsm: 'contoso', reason: 'before the tests' } });
  await look.settled({ advanceMs: 10_000 });
}, 60_000);
afterAll(() => estate?.stop());

/** Every activity of runRestoreDrill, in its order; those of the safety backup are killed in the test of backups. */
const STEPS = [
  ...['prepareDrill', 'keepDrillSentinels', 'lockHsm', 'judgeRestore', 'stageBackup', 'startRestore', 'readRestore'],
  ...['compareDrill', 'tryDrillSentinels', 'unlockHsm', 'closeDrill', 'describeDrill'],
];

const restores = () => look.calls('contoso-drill', 'RestoreCreate', 202);
/** A repeat publishes the same event again, and subscribers tell it by its id. */
const passed = () => new Set(look.events('DrillPassed').map(({ id }) => id)).size;
const HALF_AN_HOUR = { advanceMs: 60_000 };

const ask = (as: 'operator' | 'viewer', body: object) => look.api('POST', '/api/drills', { as, body });

/** A host that is being killed is asked again: the same key is the same request. */
async function askPatiently(idempotencyKey: string): Promise<void> {
  const body = { hsm: 'contoso', reason: 'rehearsal' };
  const asked = { as: 'operator', body, idempotencyKey } as const;
  for (let time = 0; time < 100; time++) {
    const reply = await look.api('POST', '/api/drills', asked).catch(() => undefined);
    if (reply?.status === 202) return;
    await look.pause(100);
  }
  throw new Error('the host did not answer in time');
}

describe('runRestoreDrill', () => {
  test.each(['start', 'end'] as const)(
    'killed at the %s of every step, one after the other, restores once, tells once and leaves no lock',
    async (phase) => {
      const before = { restores: restores(), passed: passed() };
      const killed = killAt(estate, STEPS, phase);
      await askPatiently(`rehearsal-killed-at-${phase}`);
      await look.settled(HALF_AN_HOUR);
      await killed.done();
      await look.settled(HALF_AN_HOUR);
      expect([...killed.steps].sort()).toEqual([...STEPS].sort());
      expect(restores() - before.restores).toBe(1);
      expect(passed() - before.passed).toBe(1);
      const lock = await estate.call({
        method: 'HEAD',
        url: `${estate.storage.blobUrl}/state/locks/contoso-drill.json`,
        headers: {
          authorization: `Bearer ${(await estate.tokens.forIdentity(IDENTITIES.observe, STORAGE_AUDIENCE)).token}`,
          'x-ms-version': '2025-11-05',
        },
      });
      expect(lock.status).toBe(404);
    },
    120_000,
  );

  test('whose restore job fails is told as critical, and leaves the drill HSM free', async () => {
    estate.estate.faults.add({ service: 'hsm', operation: 'RestoreCreate', count: 1, effect: 'failJob' });
    await ask('operator', { hsm: 'contoso', reason: 'rehearsal' });
    await look.settled(HALF_AN_HOUR);
    expect(look.mail().some(({ subject }) => subject.includes('CRITICAL: contoso restore drill failed'))).toBe(true);
    const { body } = await look.api('GET', '/api/drills', { as: 'auditor' });
    expect((body as { drills: { status: string }[] }).drills[0]?.status).toBe('failed');
  }, 60_000);
});

describe('the door of drills', () => {
  test('is shut to those who may only look, to HSMs of elsewhere and to unknown backups', async () => {
    expect((await ask('viewer', { hsm: 'contoso', reason: 'rehearsal' })).status).toBe(403);
    expect((await ask('operator', { hsm: 'elsewhere', reason: 'rehearsal' })).status).toBe(404);
    const backup = 'mhsm-contoso-20200101000000';
    expect(await ask('operator', { hsm: 'contoso', backup, reason: 'rehearsal' })).toMatchObject({
      status: 409,
      body: { code: 'DrillRefused' },
    });
    expect((await look.api('GET', '/api/drills/drill-nothing', { as: 'viewer' })).status).toBe(404);
  });

  test('shows each drill with its report', async () => {
    const { body } = await look.api('GET', '/api/drills', { as: 'auditor' });
    const [newest] = (body as { drills: { id: string }[] }).drills;
    const shown = await look.api('GET', `/api/drills/${newest?.id}`, { as: 'auditor' });
    expect(shown.body).toMatchObject({ id: newest?.id, report: { drill: newest?.id, version: 1 } });
  });
});
