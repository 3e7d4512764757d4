import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { APPLICATIONS } from '../../infra/local/identity/registrations.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from './support.ts';

const ROLE = 'ActionGroupsSecureWebhook';
const RULE = 'mhsm-guard-rails';

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({ settings: { MHSM_ALERT_RULES: JSON.stringify([{ rule: RULE }]) } }));
});
afterAll(() => estate?.stop());

/** An example of Microsoft's documentation, about the estate's HSM and of this moment. */
function anAlert(originAlertId: string, essentials: Record<string, unknown> = {}): Record<string, unknown> {
  const url = new URL('../fixtures/common-alert-schema/activity-log-administrative.fired.json', import.meta.url);
  const alert = JSON.parse(readFileSync(url, 'utf8'));
  const at = estate.estate.clock.now().toISOString();
  const alertTargetIDs = [estate.hsms[0]?.resourceId];
  Object.assign(alert.data.essentials, {
    alertRule: RULE,
    originAlertId,
    firedDateTime: at,
    alertTargetIDs,
    ...essentials,
  });
  Object.assign(alert.data.alertContext, {
    eventTimestamp: at,
    operationName: 'Microsoft.Insights/diagnosticSettings/delete',
  });
  return alert;
}

/** A token as the estate's tenant issues it. */
async function aToken(wish: Record<string, unknown>): Promise<string> {
  const reply = await estate.call({
    method: 'POST',
    url: new URL('/tokens', estate.ready.control),
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wish),
  });
  return (JSON.parse(reply.body.toString('utf8')) as { token: string }).token;
}

async function send(body: unknown, wish: Record<string, unknown> | null = { application: 'actionGroups' }) {
  const authorization = wish ? { authorization: `Bearer ${await aToken(wish)}` } : undefined;
  const reply = await estate.call({
    method: 'POST',
    url: new URL('/api/alerts', estate.ready.host),
    headers: { 'content-type': 'application/json', ...authorization },
    body: JSON.stringify(body),
  });
  return { status: reply.status, body: JSON.parse(reply.body.toString('utf8')) as Record<string, unknown> };
}

const incidents = async () =>
  ((await look.api('GET', '/api/incidents', { as: 'viewer' })).body as { incidents: { openedBy: string }[] }).incidents;

describe('the door for alerts', () => {
  test.each([
    ['no token', null, 401, 'bearer token'],
    ['a person', { person: 'operator' }, 403, ROLE],
    [
      'a person who was given the role of action groups',
      { person: 'operator', roles: [ROLE] },
      403,
      'MHSM_ALERT_CALLERS',
    ],
    ['action groups without the role', { application: 'actionGroups', roles: [] }, 403, ROLE],
    [
      'another application that has the role',
      { application: 'other', roles: [ROLE] },
      403,
      APPLICATIONS.other.clientId,
    ],
    ['a token for another API', { application: 'actionGroups', audience: 'api://other' }, 401, 'aud'],
    ['a token that has expired', { application: 'actionGroups', lifetimeSeconds: -3600 }, 401, 'exp'],
  ] as const)('refuses %s, and does nothing', async (_, wish, status, word) => {
    const got = await send(anAlert('refused'), wish);
    expect([got.status, String(got.body.detail)]).toEqual([status, expect.stringContaining(word)]);
    expect(got.body.nextStep).toBeTypeOf('string');
    expect(await incidents()).toEqual([]);
  });

  test('opens for action groups: the alert is taken, and becomes an incident', async () => {
    const alert = anAlert('first');
    expect(await send(alert)).toMatchObject({ status: 202, body: { status: 'accepted', repeated: false } });
    expect(await incidents()).toMatchObject([{ openedBy: `alert ${RULE}` }]);

    expect(await send(alert)).toMatchObject({ status: 202, body: { status: 'accepted', repeated: true } });
    expect(await incidents()).toHaveLength(1);
    await look.still();
    expect(look.events('IncidentOpened')).toHaveLength(1);
  });

  test('gives action groups nothing else', async () => {
    const authorization = `Bearer ${await aToken({ application: 'actionGroups' })}`;
    for (const path of ['/api/incidents', '/api/health', '/api/policy']) {
      const url = new URL(path, estate.ready.host);
      expect((await estate.call({ method: 'GET', url, headers: { authorization } })).status).toBe(403);
    }
  });

  test.each([
    [
      'another schema',
      () => ({ ...anAlert('x'), schemaId: 'AzureMonitorMetricAlert' }),
      'body schemaId',
      'common alert schema',
    ],
    ['no essentials', () => ({ schemaId: 'azureMonitorCommonAlertSchema', data: {} }), 'body data.essentials', ''],
    [
      'a condition that is none',
      () => anAlert('x', { monitorCondition: 'Firing' }),
      'body data.essentials.monitorCondition',
      'Fired or Resolved',
    ],
  ])('answers 400 to %s, and names field and rule', async (_, body, field, rule) => {
    const { status, body: problem } = await send(body());
    expect(status).toBe(400);
    expect(problem).toMatchObject({
      code: 'InvalidRequest',
      errors: expect.arrayContaining([{ field, rule: expect.stringContaining(rule) }]),
    });
  });

  test.each([
    ['a rule that nobody named', { alertRule: 'other' }, 'UnknownRule'],
    ['what was recorded yesterday', { firedDateTime: '2020-01-01T00:00:00Z' }, 'AlertReplayed'],
  ])('answers 409 to %s', async (_, essentials, reason) => {
    const { status, body } = await send(anAlert('y', essentials));
    expect([status, String(body.detail)]).toEqual([409, expect.stringContaining(reason)]);
  });
});
