import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate, createRandom } from './support.ts';

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate());
});
afterAll(() => estate?.stop());

const KEYS = 8;
const DELIVERIES = 1_000;
const KILLS = 7;

test('1,000 deliveries of the same and related events, with the host killed at random, leave one new version per due key', async () => {
  const seed = Number(process.env.CHAOS_SEED ?? randomInt(2 ** 31));
  const random = createRandom(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;

  const names = (await look.plantDue('chaos', KEYS)).map((name) => name.replace('contoso/', ''));
  const [hsm] = estate.hsms;
  if (!hsm) throw new Error('the estate has no HSM');
  const before = look.versions();
  const event = (name: string, type: string, id: string) => {
    const current = hsm
      .keys()
      .keys.find((key) => key.name === name)
      ?.versions.at(-1);
    return {
      specversion: '1.0',
      id,
      source: hsm.resourceId,
      subject: `keys/${pick([name, name, name.toUpperCase()])}`,
      type: `${pick(['ManagedHsmLifecycle', 'Microsoft.KeyVault'])}.${type}`,
      time: new Date(estate.estate.clock.now()).toISOString(),
      data: {
        Id: `${hsm.uri}/keys/${name}/${current?.version}`,
        VaultName: 'contoso',
        ObjectType: 'Key',
        ObjectName: name,
        Version: current?.version,
        NBF: null,
        EXP: pick([current?.attributes.exp, String(current?.attributes.exp)]),
      },
    };
  };

  // Events of the versions that are due now: whatever happens later, they speak of these.
  const events = names.flatMap((name) => [
    event(name, 'KeyNearExpiry', `near-${name}`),
    event(name, 'KeyNearExpiry', `near-again-${name}`),
    event(name, 'KeyExpired', `expired-${name}`),
    { ...event(name, 'KeyNearExpiry', `forged-${name}`), source: '/subscriptions/evil' },
  ]);
  estate.topic.handling({ duplicates: 1, reorder: true });
  let sent = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const until = Math.round(((kill + 1) * DELIVERIES) / KILLS);
    for (; sent < until; sent++) {
      estate.topic.publish([pick(events)], 'CloudEventSchemaV1_0');
      if (sent % 40 === 0) await look.pause(10);
    }
    if (random() < 0.5) await estate.runTimer('expirySweepTimer').catch(() => undefined);
    await look.pause(50 + random() * 900);
    await look.killHost();
    estate.estate.clock.advance(Math.floor(random() * 20_000));
  }
  estate.topic.handling({ duplicates: 0, reorder: false });
  await estate.runTimer('expirySweepTimer');
  await look.settled();

  const grown = look.grown(before);
  expect(grown.map(({ key, by }) => `${key} +${by}`).sort(), `repeat with CHAOS_SEED=${seed}`).toEqual(
    names.map((name) => `contoso/${name} +1`).sort(),
  );
  expect(estate.topic.events.length).toBeGreaterThanOrEqual(DELIVERIES);
  // A crash between handing a mail over and recording it sends it again, as the same message.
  for (const name of names) {
    const messages = new Set(look.mailAbout(name).map(({ headers }) => headers['message-id']));
    expect(messages.size, `messages about ${name}, CHAOS_SEED=${seed}`).toBe(1);
  }
  const { body } = await look.api('GET', '/api/journal/verification', { as: 'auditor' });
  expect(body).toMatchObject({ kind: 'unbroken' });
});
