import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from './support.ts';

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
  await look.settled();
});
afterAll(() => estate?.stop());

const ask = (as: 'operator' | 'viewer', body: object) => look.api('POST', '/api/drills', { as, body });

describe('runRestoreDrill', () => {
  test('whose restore job fails is told as critical, and leaves the drill HSM free', async () => {
    estate.estate.faults.add({ service: 'hsm', operation: 'RestoreCreate', count: 1, effect: 'failJob' });
    await ask('operator', { hsm: 'contoso', reason: 'rehearsal' });
    await look.settled();
    expect(look.mail().some(({ subject }) => subject.includes('CRITICAL: contoso restore drill failed'))).toBe(true);
    const { body } = await look.api('GET', '/api/drills', { as: 'auditor' });
    expect((body as { drills: { status: string }[] }).drills[0]?.status).toBe('failed');
  });
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
