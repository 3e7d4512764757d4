import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from './support.ts';

const MINUTE = 60_000;
const MALLORY = '99999999-9999-4999-8999-999999999999';

let estate: RunningEstate;
let look: Observer;

interface ShownFinding {
  id: string;
  hsm: string;
  detector: string;
  severity: string;
  title: string;
}

const findings = async (query = '') => {
  const { status, body } = await look.api('GET', `/api/findings${query}`, { as: 'auditor' });
  expect(status).toBe(200);
  return (body as { findings: ShownFinding[] }).findings;
};

/** Rows of now arrive, and one cycle looks at them. */
const cycle = async () => {
  look.advance(6 * MINUTE);
  await estate.runTimer('auditSweepTimer');
  // A response that waits for people is under way for long.
  for (const { name } of estate.hsms) await look.operation(`/api/operations/detect-${name}`);
};

const inject = (fields: Record<string, unknown>, count = 1) => {
  const [hsm] = estate.hsms;
  for (let number = 0; number < count; number++) {
    estate.logs.inject('AZKVAuditLogs', {
      _ResourceId: hsm?.resourceId.toLowerCase(),
      OperationName: 'KeyGet',
      HttpStatusCode: 200,
      ResultType: 'Success',
      RequestUri: `https://contoso.managedhsm.azure.net/keys/orders?api-version=7.5`,
      CallerIpAddress: '10.0.0.9',
      CorrelationId: `c-${Math.random()}`,
      Identity: { claim: { oid: MALLORY, appid: 'evil' } },
      ...fields,
    });
  }
};

beforeAll(async () => {
  ({ estate, look } = await bootEstate({ seed: 'demo', detection: true }));
  await cycle();
}, 300_000);
afterAll(() => estate?.stop());

describe('detectAnomalies', () => {
  test('finds nothing to tell in the work of the app itself', async () => {
    expect(await findings()).toEqual([]);
  });

  test('knows when the newest row of each log arrived, and health shows it', async () => {
    // The canary of the first cycle arrives for the second.
    await cycle();
    const { status, body } = await look.api('GET', '/api/health', { as: 'viewer' });
    expect(status).toBe(200);
    for (const { name } of estate.hsms) {
      expect((body as { heartbeats: unknown[] }).heartbeats).toContainEqual(
        expect.objectContaining({ name: `logs-${name}`, at: expect.any(String), overdue: false }),
      );
    }
  });

  test('finds a download of the security domain within one cycle, once', async () => {
    inject({
      OperationName: 'SecurityDomainBackup',
      HttpStatusCode: 202,
      RequestUri: 'https://contoso.managedhsm.azure.net/securitydomain/download?api-version=7.5',
    });
    await cycle();
    const found = await findings('?severity=High');
    expect(found).toMatchObject([{ hsm: 'contoso', detector: 'security-domain-access', severity: 'Critical' }]);
    const published = look.events('FindingRaised');
    expect(published.filter(({ body }) => JSON.stringify(body).includes('security-domain-access'))).toHaveLength(1);
    const shown = await look.api('GET', `/api/findings/${found[0]?.id}`, { as: 'viewer' });
    expect(shown.body).toMatchObject({ id: found[0]?.id, caller: { oid: MALLORY }, told: 'Critical' });
    await cycle();
    await cycle();
    expect(await findings('?severity=High')).toHaveLength(found.length);
  }, 300_000);
});
