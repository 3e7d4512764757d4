import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import { MANAGEMENT_AUDIENCE } from '../../infra/local/management/server.ts';
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

/** A response that waits for people is under way for long. */
const PEOPLE = { except: /^incident-/ };

/** Rows of now arrive, and one cycle looks at them. */
const cycle = async () => {
  look.advance(6 * MINUTE);
  await look.run('auditSweepTimer', PEOPLE);
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
  for (const timer of ['expirySweepTimer', 'backupWatchTimer']) await look.run(timer);
  await cycle();
});
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
  });

  test('finds that the log was cut, and shows people the command that mends it', async () => {
    const [hsm] = estate.hsms;
    const path = `${hsm?.resourceId}/providers/Microsoft.Insights/diagnosticSettings/key-lifecycle`;
    const url = `${estate.ready.management}${path}?api-version=2021-05-01-preview`;
    const { token } = await estate.tokens.forIdentity(IDENTITIES.administrator, MANAGEMENT_AUDIENCE);
    const headers = { authorization: `Bearer ${token}` };
    expect((await estate.call({ method: 'DELETE', url, headers })).status).toBe(200);
    await cycle();
    const cut = (await findings('?severity=Critical')).filter(({ detector }) => detector === 'logging-gap');
    expect(cut).toHaveLength(1);
    expect(look.events('IncidentOpened').length).toBeGreaterThanOrEqual(2);
    const { body } = await look.api('GET', '/api/incidents', { as: 'viewer' });
    const { incidents } = body as { incidents: { id: string; class: string; findings: number }[] };
    const found = incidents.filter((each) => each.class === 'controls').map(({ id }) => id);
    const steps = async () => {
      const shown = await Promise.all(found.map((id) => look.api('GET', `/api/incidents/${id}`, { as: 'viewer' })));
      return shown.flatMap((each) => (each.body as { plan?: { id: string; commands: string[] }[] }).plan ?? []);
    };
    let commands: string[] = [];
    await look.eventually(async () => {
      commands = (await steps()).filter(({ id }) => id.includes('logging')).flatMap((step) => step.commands);
      return commands.length > 0;
    }, 'the step that mends the log');
    expect(commands[0]).toContain(
      `az monitor diagnostic-settings create --name 'key-lifecycle' --resource '${hsm?.resourceId}'`,
    );
    expect(commands[0]).toContain(`--logs '[{"category":"AuditEvent","enabled":true}]'`);
  });
});
