import { demoKeys, fabrikamKeys } from './demo-keys.ts';
import { hsmResourceId } from './resource-id.ts';
import type { Seed } from './seed.ts';

/** One HSM with keys in every state an owner ever left one in. */
const contoso = (): Seed['hsms'][number] => ({
  name: 'contoso',
  resourceId: hsmResourceId('contoso'),
  keys: demoKeys,
  assignments: [
    { identity: 'consumer', role: 'Managed HSM Crypto Service Encryption User', scope: '/keys' },
    { identity: 'consumer', role: 'Managed HSM Crypto User', scope: '/keys/payments-settlement-sign' },
  ],
});

/** A bank with a hospital: a large HSM and a small second one. */
export const demoSeed = (): Seed => ({
  hsms: [contoso(), { name: 'fabrikam', resourceId: hsmResourceId('fabrikam'), keys: fabrikamKeys }],
});

/** The large one alone, for stories of many days. */
export const singleSeed = (): Seed => ({ hsms: [contoso()] });
