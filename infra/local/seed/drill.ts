import { demoKeys } from './demo-keys.ts';
import { hsmResourceId } from './resource-id.ts';
import type { Seed } from './seed.ts';

/** The HSM of the demo, and a standing drill HSM that shares its security domain and holds nothing yet. */
export const drillSeed = (): Seed => ({
  hsms: [
    { name: 'contoso', resourceId: hsmResourceId('contoso'), keys: demoKeys },
    { name: 'contoso-drill', resourceId: hsmResourceId('contoso-drill'), keys: [], securityDomainOf: 'contoso' },
  ],
  policyFile: 'infra/local/seed/drill-policy.json',
});
