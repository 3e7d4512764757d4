import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { bootEstate } from './support.ts';

let estate: RunningEstate;
let look: Observer;

beforeAll(async () => {
  ({ estate, look } = await bootEstate({
    policy: { defaults: { rotation: { backupFirst: true, drift: 'repair', proof: 'required' } } },
  }));
});
afterAll(() => estate?.stop());

const wrapping = { kty: 'RSA-HSM', size: 2048, keyOps: ['wrapKey', 'unwrapKey'] } as const;
const encrypting = { kty: 'oct-HSM', size: 256, keyOps: ['encrypt', 'decrypt'] } as const;
const signing = { kty: 'EC-HSM', crv: 'P-256', keyOps: ['sign', 'verify'] } as const;
const kept = { rotationPolicy: { expiryTime: 'P1Y' } };

/** Every data action that the custom roles of infra/azure/hsm-roles.json give to rotation, with a key that needs it. */
const NEEDED = [
  ['rotate', 'keys/rotate/action', { ...signing, ...kept }],
  ['rotate', 'keys/wrap/action', { ...wrapping, ...kept }],
  ['rotate', 'keys/unwrap/action', { ...wrapping, ...kept }],
  ['rotate', 'keys/encrypt/action', { ...encrypting, ...kept }],
  ['rotate', 'keys/decrypt/action', { ...encrypting, ...kept }],
  ['rotate', 'keys/sign/action', { ...signing, ...kept }],
  ['rotate', 'keys/verify/action', { ...signing, ...kept }],
  ['rotate', 'keys/backup/action', { ...signing, ...kept }],
  ['rotate', 'keys/write/action', { ...signing, rotationPolicy: { expiryTime: 'P2Y' } }],
] as const;

describe('a missing data action', () => {
  test.each(NEEDED)(
    '%s without %s is told as an instruction that a person can follow',
    async (identity, action, shape) => {
      const name = action.replaceAll('/', '-');
      const [hsm] = estate.hsms;
      const { keyOps, ...rest } = shape;
      await hsm?.plant({
        name,
        ...rest,
        keyOps: [...keyOps],
        created: '-P350D',
        expires: 'P10D',
        tags: { notify: 'owner@contoso.example' },
      });
      const giveBack = await look.withoutAction(IDENTITIES[identity].objectId, action);
      await look.run('expirySweepTimer');
      await giveBack();

      const mail = look.mailAbout(name);
      const text = mail.map((each) => each.text).join('\n');
      expect(text).toContain(`Microsoft.KeyVault/managedHsm/${action}`);
      expect(text).toContain(IDENTITIES[identity].clientId);
      expect(text).toMatch(/az keyvault role assignment create --hsm-name contoso/);
      expect(text).not.toMatch(/\n\s+at /);
      expect(text).not.toMatch(/\.[jt]s:\d+/);
    },
  );

  test('observe without keys/read/action is told to the fallback, once', async () => {
    const giveBack = await look.withoutAction(IDENTITIES.observe.objectId, 'keys/read/action');
    for (let sweep = 0; sweep < 2; sweep++) await look.run('expirySweepTimer');
    await giveBack();
    const told = look
      .mail()
      .filter(({ to, text }) => to.includes('keys@contoso.example') && text.includes('keys/read/action'));
    expect(told.map(({ subject }) => subject)).toHaveLength(1);
    expect(told[0]?.text).toContain(IDENTITIES.observe.clientId);
  });
});
