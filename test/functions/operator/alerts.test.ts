import { readFileSync } from 'node:fs';
import { beforeEach, describe, expect, test } from 'vitest';
import { freshPlan } from '../../../functions/activities/incident-planning.ts';
import { readFinding, readIncidents } from '../../../functions/activities/incident-records.ts';
import type { Caller } from '../../../functions/operator/authorise.ts';
import { MOST_AN_HOUR } from '../../../shared/incident/judge-alert.ts';
import { createIncidentWorld, type IncidentWorld } from '../../support/incident-world.ts';
import { ask } from '../../support/operator.ts';

const AZURE: Caller = { oid: 'oid-azns', name: 'AzNS', roles: ['ActionGroupsSecureWebhook'], app: 'action-groups' };
const HSM = '/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/managedHSMs/contoso';
const NOW = '2030-01-01T00:00:00.000Z';

type Alert = { schemaId: string; data: { essentials: Record<string, unknown>; alertContext: Record<string, unknown> } };
/** Examples of Microsoft's documentation, moved to the time and the HSM of the test. */
function anAlert(file: string, essentials: Record<string, unknown> = {}, context: Record<string, unknown> = {}): Alert {
  const url = new URL(`../../fixtures/common-alert-schema/${file}.json`, import.meta.url);
  const alert = JSON.parse(readFileSync(url, 'utf8')) as Alert;
  Object.assign(
    alert.data.essentials,
    { alertRule: 'mhsm-rule', firedDateTime: NOW, alertTargetIDs: [HSM] },
    essentials,
  );
  Object.assign(alert.data.alertContext, { eventTimestamp: NOW }, context);
  return alert;
}

let world: IncidentWorld;
const started: string[] = [];
const client = {
  getStatus: async () => {
    throw new Error('HTTP 404 response');
  },
  startNew: async (name: string, { instanceId }: { instanceId: string }) => void started.push(`${name} ${instanceId}`),
} as never;
const send = (body: unknown, caller: Caller = AZURE) => ask(world, 'receiveAlert', { body, caller, client });

beforeEach(() => {
  world = createIncidentWorld();
  started.length = 0;
});

describe('alerts of Azure Monitor', () => {
  test.each([
    'log-alert-v2.fired',
    'log-alert-v2.resolved',
    'metric-static-threshold.fired',
    'activity-log-administrative.fired',
    'resource-health.fired',
  ])('%s is taken as it is documented', async (file) => {
    const { status, body } = await send(anAlert(file, file.includes('resolved') ? { resolvedDateTime: NOW } : {}));
    expect(body).toMatchObject({ status: 'accepted', repeated: false });
    expect(status).toBe(202);
  });

  test('the same alert twice is one, and of the incident that it opens there is one', async () => {
    const alert = anAlert(
      'activity-log-administrative.fired',
      {},
      {
        operationName: 'Microsoft.KeyVault/managedHSMs/delete',
        caller: 'mallory@contoso.example',
      },
    );
    await send(alert);
    expect((await send(alert)).body).toMatchObject({ repeated: true });
    const incidents = await readIncidents(world.documents);
    expect(incidents).toMatchObject([
      { class: 'destruction', severity: 'Critical', openedBy: 'alert mhsm-rule', subject: { kind: 'hsm' } },
    ]);
    expect(started.filter((each) => each.startsWith('respondToCompromise'))).toHaveLength(1);
  });

  test.each([
    ['a deleted diagnostic setting', 'Microsoft.Insights/diagnosticSettings/delete', 'controls'],
    ['a deleted HSM', 'Microsoft.KeyVault/managedHSMs/delete', 'destruction'],
  ])('%s becomes a finding, because no row of the log can tell', async (_, operationName, kind) => {
    await send(anAlert('activity-log-administrative.fired', {}, { operationName }));
    expect(await readIncidents(world.documents)).toMatchObject([{ class: kind }]);
  });

  test('an act that failed, or that was resolved, becomes none', async () => {
    const operationName = 'Microsoft.KeyVault/managedHSMs/delete';
    await send(anAlert('activity-log-administrative.fired', {}, { operationName, status: 'Failed' }));
    await send(anAlert('activity-log-administrative.fired', { monitorCondition: 'Resolved' }, { operationName }));
    expect(await readIncidents(world.documents)).toEqual([]);
  });

  test('whom an alert names is told, and nothing is planned against them', async () => {
    const victim = '00000000-0000-4000-8000-00000000a666';
    const operationName = 'Microsoft.KeyVault/managedHSMs/delete';
    await send(
      anAlert('activity-log-administrative.fired', {}, { operationName, caller: victim, status: 'Succeeded' }),
    );
    const [incident] = await readIncidents(world.documents);
    expect(incident?.subject).toEqual({ kind: 'hsm' });
    const { fresh } = await freshPlan(world, incident as NonNullable<typeof incident>);
    expect(fresh.filter(({ kind }) => kind === 'revoke')).toEqual([]);
    const [found] = (incident?.findings ?? []).map((each) => each.id);
    const finding = await readFinding(world.documents, 'contoso', NOW.slice(0, 10), found ?? '');
    expect(finding?.explanation).toContain(victim);
  });

  test('what an alert says of callers or keys is not believed', async () => {
    await send(anAlert('log-alert-v2.fired', {}, { caller: 'victim@contoso.example', operationName: 'KeyDelete' }));
    expect(await readIncidents(world.documents)).toEqual([]);
  });

  test.each([
    ['another rule', { alertRule: 'other' }, 409, 'UnknownRule'],
    ['an HSM of somebody else', { alertTargetIDs: [`${HSM}2`] }, 409, 'UnknownTarget'],
    ['last week', { firedDateTime: '2029-12-25T00:00:00Z' }, 409, 'AlertReplayed'],
    ['tomorrow', { firedDateTime: '2030-01-02T00:00:00Z' }, 409, 'AlertFromTheFuture'],
  ])('one of %s is refused', async (_, essentials, status, reason) => {
    const got = await send(anAlert('log-alert-v2.fired', essentials));
    expect(got.status).toBe(status);
    expect(got.body.detail).toContain(reason);
  });

  test('a rule that floods is slowed down', async () => {
    for (let index = 0; index < MOST_AN_HOUR; index++) {
      expect((await send(anAlert('log-alert-v2.fired', { originAlertId: `a${index}` }))).status).toBe(202);
    }
    expect((await send(anAlert('log-alert-v2.fired', { originAlertId: 'more' }))).status).toBe(429);
  });

  test.each([
    ['another schema', { schemaId: 'azureMonitor', data: {} }, 'body schemaId'],
    ['none at all', { hello: 1 }, 'body schemaId'],
  ])('%s is refused, and the field is named', async (_, body, field) => {
    const got = await send(body);
    expect(got.status).toBe(400);
    expect(JSON.stringify(got.body.errors)).toContain(field);
  });

  test('another application is refused, whatever role it has', async () => {
    expect((await send(anAlert('log-alert-v2.fired'), { ...AZURE, app: 'somebody' })).status).toBe(403);
  });

  test('a person is refused, whatever application they use', async () => {
    const got = await send(anAlert('log-alert-v2.fired'), { ...AZURE, delegated: true });
    expect([got.status, got.body.detail]).toEqual([403, expect.stringContaining('a person')]);
  });
});
