import { describe, expect, test } from 'vitest';
import { deliverNotification } from '../../../functions/orchestrators/deliver-notification.ts';
import { answers, names } from '../../support/answers.ts';
import { replay } from '../../support/replay.ts';

const notice = { kind: 'SweepFailed', at: '2030-01-01T00:00:00Z', hsm: 'contoso', failure: {} };
const run = (overrides: Parameters<typeof answers>[0] = {}) =>
  replay(deliverNotification, {
    input: { id: 'n', notice, repeatAfter: 'P7D' },
    instanceId: 'notify-1',
    answer: answers({
      routeNotice: () => ({ result: { kind: 'routed', recipients: ['a@x.example', 'b@x.example'] } }),
      sendMail: () => ({ result: { kind: 'sent' } }),
      settleNotice: () => ({ result: { kind: 'settled' } }),
      ...overrides,
    }),
  });

describe('deliverNotification', () => {
  test('tells each recipient and records who has had it', () => {
    const { asked, outcome } = run();
    expect(names(asked)).toEqual(['routeNotice', 'sendMail', 'sendMail', 'settleNotice']);
    expect(outcome).toEqual({
      kind: 'returned',
      value: { kind: 'told', delivered: ['a@x.example', 'b@x.example'], undelivered: [] },
    });
  });

  test('says nothing that was said recently', () => {
    const { asked, outcome } = run({ routeNotice: () => ({ result: { kind: 'toldRecently', on: '2029-12-31' } }) });
    expect(names(asked)).toEqual(['routeNotice']);
    expect(outcome).toMatchObject({ value: { kind: 'toldRecently' } });
  });

  test('passes on when it was told before, so that a reminder is a message of its own', () => {
    const { asked } = run({
      routeNotice: () => ({ result: { kind: 'routed', recipients: ['a@x.example'], lastToldOn: '2029-12-25' } }),
    });
    expect(asked).toContainEqual(
      expect.objectContaining({
        name: 'sendMail',
        input: { id: 'n', notice, to: 'a@x.example', lastToldOn: '2029-12-25' },
      }),
    );
  });

  test.each([
    ['is refused for good', { result: { kind: 'failed', code: 'ERR_REFUSED_BY_SERVICE', message: '', nextStep: '' } }],
    ['outlives the retries', { throws: 'the mail system does not answer' }],
  ])('tells the others when one mail %s', (_, first) => {
    const { asked, outcome } = run({
      sendMail: (_asked, count) => (count === 1 ? first : { result: { kind: 'sent' } }),
    });
    expect(asked.at(-1)).toMatchObject({
      name: 'settleNotice',
      input: { delivered: ['b@x.example'], undelivered: ['a@x.example'] },
    });
    expect(outcome).toMatchObject({ value: { kind: 'told', undelivered: ['a@x.example'] } });
  });

  test('hands over to the webhooks before the mails, and counts them among those who have had it', () => {
    const { asked, outcome } = run({
      routeNotice: () => ({
        result: { kind: 'routed', recipients: ['a@x.example'], lastToldOn: 'then', webhooks: true },
      }),
      queueNotice: () => ({ result: { kind: 'queued', webhooks: ['soc'] } }),
    });
    expect(names(asked)).toEqual(['routeNotice', 'queueNotice', 'sendMail', 'settleNotice']);
    expect(asked[1]).toMatchObject({ input: { id: 'n', notice, lastToldOn: 'then' } });
    expect(outcome).toMatchObject({ value: { delivered: ['webhook soc', 'a@x.example'] } });
  });

  test('keeps the notice with those who have not had it, so that it can be sent again', () => {
    const { asked } = run({
      routeNotice: () => ({ result: { kind: 'routed', recipients: ['a@x.example'], webhooks: false } }),
      sendMail: () => ({ throws: 'the mail system does not answer' }),
    });
    expect(asked.at(-1)).toMatchObject({ name: 'settleNotice', input: { undelivered: ['a@x.example'], notice } });
  });

  test('sent again by a person goes to those alone who have not had it, as the message that it was', () => {
    const { asked, outcome } = replay(deliverNotification, {
      input: { id: 'n', notice, again: { to: ['b@x.example'], lastToldOn: 'then' } },
      answer: answers({
        sendMail: () => ({ result: { kind: 'sent' } }),
        settleNotice: () => ({ result: { kind: 'settled' } }),
      }),
    });
    expect(names(asked)).toEqual(['sendMail', 'settleNotice']);
    expect(asked[0]).toMatchObject({ input: { to: 'b@x.example', lastToldOn: 'then' } });
    expect(outcome).toMatchObject({ value: { delivered: ['b@x.example'], undelivered: [] } });
  });

  test.each(['routeNotice', 'settleNotice'])(
    'never fails its caller, not even when the retries of %s are spent',
    (step) => {
      const { outcome } = run({ [step]: () => ({ throws: 'the state account does not answer' }) });
      expect(outcome).toMatchObject({ kind: 'returned', value: { kind: 'told' } });
    },
  );
});
