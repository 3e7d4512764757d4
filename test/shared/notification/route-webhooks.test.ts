import { describe, expect, test } from 'vitest';
import { routeWebhooks, type Tellable } from '../../../shared/notification/route-webhooks.ts';
import type { WebhookRoute } from '../../../shared/policy/document.ts';

const event: Tellable = { kind: 'event', type: 'BackupFailed', hsm: 'contoso' };
const notice: Tellable = { kind: 'notice', type: 'KeyRotated', hsm: 'contoso', severity: 'attention' };

const told = (route: WebhookRoute | undefined, what: Tellable): boolean =>
  routeWebhooks(['soc'], { fallback: [], ...(route ? { webhooks: { soc: route } } : {}) }, what).length === 1;

describe('a webhook', () => {
  test.each<[string, WebhookRoute | undefined, Tellable, boolean]>([
    ['that the policy does not name is told everything', undefined, event, true],
    ['with an empty route is told everything', {}, notice, true],
    ['gets a type that a pattern matches', { types: ['Key*', 'Backup*'] }, event, true],
    ['does not get a type that none matches', { types: ['Key*'] }, event, false],
    ['with no types gets nothing', { types: [] }, event, false],
    ['of another HSM is not told', { hsm: 'fabrikam' }, event, false],
    [
      'of one HSM is told what concerns none',
      { hsm: 'fabrikam' },
      { kind: 'notice', type: 'PolicyDocumentFault' },
      true,
    ],
    ['without events gets notices', { events: false }, notice, true],
    ['without events gets none', { events: false }, event, false],
    ['without notices gets none', { notices: false }, notice, false],
    ['gets a notice of its least severity', { severity: 'attention' }, notice, true],
    ['does not get a lesser notice', { severity: 'critical' }, notice, false],
    ['gets events whatever its least severity', { severity: 'critical' }, event, true],
  ])('%s', (_, route, what, expected) => {
    expect(told(route, what)).toBe(expected);
  });

  test('that the settings do not have is not told, whatever the policy says', () => {
    expect(routeWebhooks(['soc'], { fallback: [], webhooks: { siem: {} } }, event)).toEqual(['soc']);
  });

  test('of a name that every object has is no route of the policy', () => {
    expect(routeWebhooks(['constructor'], { fallback: [], webhooks: {} }, event)).toEqual(['constructor']);
  });
});
