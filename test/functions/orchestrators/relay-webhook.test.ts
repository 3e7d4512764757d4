import { describe, expect, test } from 'vitest';
import { relayWebhook } from '../../../functions/orchestrators/relay-webhook.ts';
import { answers, names } from '../../support/answers.ts';
import { replay, type Told } from '../../support/replay.ts';

const input = { webhook: 'soc', message: 'msg-1' };
const run = (sent: Told) =>
  replay(relayWebhook, {
    input,
    answer: answers({ sendWebhook: () => sent, settleWebhook: () => ({ result: { kind: 'settled' } }) }),
  });

describe('relayWebhook', () => {
  test('takes what was delivered out of the outbox', () => {
    const { asked, outcome } = run({ result: { kind: 'sent' } });
    expect(asked.at(-1)).toEqual({ kind: 'activity', name: 'settleWebhook', input });
    expect(outcome).toEqual({ kind: 'returned', value: { kind: 'delivered' } });
  });

  test('leaves alone what somebody else has settled', () => {
    const { asked, outcome } = run({ result: { kind: 'gone' } });
    expect(names(asked)).toEqual(['sendWebhook']);
    expect(outcome).toMatchObject({ value: { kind: 'gone' } });
  });

  test.each<[string, Told, string]>([
    ['is refused for good', { result: { kind: 'failed', code: 'ERR_DENIED', message: 'no', nextStep: 'look' } }, 'no'],
    ['outlives the retries', { throws: 'soc answered 503.\n   at somewhere' }, 'soc answered 503.'],
  ])('keeps what %s, with why', (_, sent, why) => {
    const { asked, outcome } = run(sent);
    expect(asked.at(-1)).toMatchObject({
      name: 'settleWebhook',
      input: { ...input, undelivered: { why, nextStep: expect.any(String) } },
    });
    expect(outcome).toMatchObject({ value: { kind: 'undelivered', why } });
  });
});
