import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Answer, type Listener, listen, type Request } from '../../../../infra/local/http.ts';
import { createHsmKeys } from '../../../../shared/adapters/azure/hsm-keys.ts';
import type { HsmKeys } from '../../../../shared/ports/hsm-keys.ts';
import { type Ground, startGround } from './estate.ts';

interface Entry {
  RequestUri: string;
  RequestMethod: string;
  StatusCode: number;
  ResponseHeaders: Record<string, string>;
  ResponseBody: unknown;
}

// Recorded from the real service, so that the emulator and the adapter cannot agree on a mistake.
const recordings = new URL('../../../../../shared/spec/recordings/', import.meta.url);
const present = existsSync(recordings);
if (!present) console.warn('Skipped: the recorded answers of a real Managed HSM are not beside this checkout.');

const load = (file: string) => JSON.parse(readFileSync(new URL(file, recordings), 'utf8'));

describe.skipIf(!present)('answers of a real Managed HSM', () => {
  let ground: Ground;
  let server: Listener;
  let keys: HsmKeys;
  const posts: string[] = [];
  const orders = { hsm: 'contoso', name: 'orders' };

  beforeAll(async () => {
    ground = await startGround();
    const rotation: Entry[] = load('mhsm-key-rotation.7.5.json').Entries;
    const denial = load('mhsm-error-responses.json').notRecorded[0] as Entry;
    const challenge = rotation.find(({ StatusCode }) => StatusCode === 401) as Entry;
    const notFound = rotation.find(({ StatusCode }) => StatusCode === 404) as Entry;

    const answer = ({ StatusCode, ResponseHeaders = {}, ResponseBody }: Entry): Answer => ({
      status: StatusCode,
      headers: Object.fromEntries(Object.entries(ResponseHeaders).filter(([name]) => name !== 'Content-Length')),
      ...(ResponseBody === null ? {} : { body: ResponseBody }),
    });
    server = await listen({
      tls: ground.estate.tls,
      origin: 'https://contoso.managedhsm.azure.net',
      async handle({ method, path, headers }: Request) {
        if (!headers.authorization) return answer(challenge);
        if (method === 'POST') posts.push(path);
        if (path.includes('/denied')) return answer(denial);
        const operation = path.split('/')[3];
        const found = rotation.find(
          (entry) =>
            entry.StatusCode === 200 &&
            entry.RequestMethod === method &&
            new URL(entry.RequestUri).pathname.split('/')[3] === operation,
        );
        return answer(found && !path.includes('nonexistent') ? found : notFound);
      },
    });
    const uri = `https://contoso.managedhsm.azure.net:${server.port}`;
    keys = createHsmKeys({ hsms: [{ name: 'contoso', uri }], identity: ground.identity('rotate') });
  });
  afterAll(async () => {
    await server.close();
    await ground.stop();
  });

  test('to a rotation: the new version, its expiry and its public key', async () => {
    const facts = await keys.rotate(orders);
    expect(facts).toMatchObject({ keyType: 'EC-HSM', curve: 'P-256', keyOps: ['deriveKey', 'sign', 'verify'] });
    expect(facts.version).toMatch(/^[0-9a-f]{32}$/);
    expect(facts.publicFingerprint).toMatch(/^[0-9a-f]{64}$/);
    // exp = created + 90 days, the policy's expiryTime.
    expect(Date.parse(facts.expiresOn ?? '') - Date.parse(facts.createdOn)).toBe(90 * 86_400_000);
    expect(posts).toEqual(['/keys/orders/rotate']);
  });

  test('to a rotation policy, whose action is spelt in lower case', async () => {
    expect(await keys.readRotationPolicy(orders)).toEqual({ expiryTime: 'P90D', rotateAfterCreate: 'P30D' });
  });

  test('to a key that does not exist', async () => {
    await expect(keys.rotate({ ...orders, name: 'nonexistent' })).rejects.toMatchObject({ code: 'ERR_NOT_FOUND' });
  });

  test('to a caller without the data action', async () => {
    await expect(keys.read({ ...orders, name: 'denied' })).rejects.toMatchObject({
      code: 'ERR_DENIED',
      denial: { dataAction: 'Microsoft.KeyVault/managedHsm/roleAssignments/read/action', scope: '/' },
    });
  });
});
