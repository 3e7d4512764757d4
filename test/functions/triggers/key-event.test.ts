import { describe, expect, test } from 'vitest';
import { takeKeyEvent } from '../../../functions/triggers/key-event.ts';
import { createFakeLog } from '../../support/log.ts';
import { createFakeStarter } from '../../support/starter.ts';
import { createFakeWorld } from '../../support/world.ts';

const { hsms } = createFakeWorld();
const version = 'a'.repeat(32);
const event = {
  specversion: '1.0',
  id: 'e1',
  source: hsms[0]?.resourceId,
  subject: 'keys/Orders',
  type: 'ManagedHsmLifecycle.KeyNearExpiry',
  data: {
    Id: `${hsms[0]?.uri}/keys/Orders/${version}`,
    VaultName: 'contoso',
    ObjectType: 'Key',
    ObjectName: 'Orders',
    Version: version,
  },
};

async function take(...events: unknown[]) {
  const starter = createFakeStarter();
  const { log, lines } = createFakeLog();
  for (const each of events) await takeKeyEvent({ hsms, sources: [] }, each, starter, log);
  return { starter, lines };
}

describe('a key event', () => {
  test('starts the rotation of the version that it speaks of', async () => {
    const { starter, lines } = await take(event);
    expect(starter.started).toEqual([
      {
        name: 'rotateKey',
        id: `rotate-contoso-orders-${version}`,
        input: {
          key: { hsm: 'contoso', name: 'Orders' },
          version,
          cause: { kind: 'Event', eventId: 'e1', eventType: 'ManagedHsmLifecycle.KeyNearExpiry' },
        },
      },
    ]);
    expect(lines).toMatchObject([{ event: 'KeyEventAccepted', eventId: 'e1', outcome: 'started' }]);
  });

  test('delivered again, in the other schema or another case, starts nothing more', async () => {
    const { id, source, subject, type, data } = event;
    const { starter, lines } = await take(
      event,
      event,
      { id, topic: source, subject, eventType: type, eventTime: '2030-01-01T00:00:00Z', data },
      { ...event, id: 'e2', type: 'Microsoft.KeyVault.KeyExpired', subject: 'keys/ORDERS' },
    );
    expect(starter.started).toHaveLength(1);
    expect(lines.map(({ outcome }) => outcome)).toEqual(['started', 'running', 'running', 'running']);
  });

  test.each([
    ['forged', { ...event, source: '/subscriptions/evil' }, 'ForeignSource'],
    ['about something else', { ...event, type: 'ManagedHsmLifecycle.KeyNewVersionCreated' }, 'UnknownType'],
    ['at odds with itself', { ...event, subject: 'keys/payments' }, 'SubjectDisagrees'],
    ['no object', 'hello', 'Malformed'],
    ['a batch', [event], 'Malformed'],
    ['nothing', undefined, 'Malformed'],
  ])('that is %s has no effect and says why in the log', async (_, foreign, reason) => {
    const { starter, lines } = await take(foreign);
    expect(starter.started).toEqual([]);
    expect(lines).toMatchObject([{ level: 'warn', event: 'KeyEventIgnored', reason }]);
  });

  test('that cannot be started now fails, so that it is delivered again', async () => {
    const starter = createFakeStarter();
    starter.crashes = 1;
    const { log } = createFakeLog();
    await expect(takeKeyEvent({ hsms, sources: [] }, event, starter, log)).rejects.toThrow();
    await takeKeyEvent({ hsms, sources: [] }, event, starter, log);
    expect(starter.started).toHaveLength(1);
  });
});
