import { demoKeys, fabrikamKeys } from './demo-keys.ts';
import { hsmResourceId } from './resource-id.ts';
import type { Seed } from './seed.ts';

/** A bank with a hospital: one HSM with keys in every state an owner ever left one in, and a small second one. */
export const demoSeed = (): Seed => ({
  hsms: [
    {
      name: 'contoso',
      resourceId: hsmResourceId('contoso'),
      keys: demoKeys,
      assignments: [
        { identity: 'consumer', role: 'Managed HSM Crypto Service Encryption User', scope: '/keys' },
        { identity: 'consumer', role: 'Managed HSM Crypto User', scope: '/keys/payments-settlement-sign' },
      ],
    },
    { name: 'fabrikam', resourceId: hsmResourceId('fabrikam'), keys: fabrikamKeys },
  ],
});
