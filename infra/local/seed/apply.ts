import { readFile } from 'node:fs/promises';
import type { EstateHsm } from '../hsm-fleet.ts';
import { inProject } from '../project.ts';
import type { StorageService } from '../storage/storage.ts';
import type { AssignmentSeed, Seed } from './seed.ts';

/** What every HSM of the estate grants, as the deployment would: each duty its role, and all keys for the administrator. */
export const DUTIES: readonly AssignmentSeed[] = [
  { identity: 'observe', role: 'Key lifecycle: observe', scope: '/' },
  { identity: 'rotate', role: 'Key lifecycle: rotate', scope: '/keys' },
  { identity: 'rotate', role: 'Key lifecycle: maintain rotation policies', scope: '/keys' },
  { identity: 'backup', role: 'Key lifecycle: back up', scope: '/' },
  { identity: 'restore', role: 'Key lifecycle: restore', scope: '/' },
  { identity: 'respond', role: 'Key lifecycle: respond', scope: '/' },
  { identity: 'reinstate', role: 'Key lifecycle: reinstate', scope: '/' },
  { identity: 'administrator', role: 'Managed HSM Crypto Officer', scope: '/' },
  { identity: 'administrator', role: 'Managed HSM Crypto User', scope: '/' },
];

/** Fills fresh HSMs. */
export async function applySeed(hsms: readonly EstateHsm[], seed: Seed): Promise<void> {
  await Promise.all(
    hsms.map(async (hsm) => {
      const planned = seed.hsms.find((one) => one.name === hsm.name);
      await hsm.grant([...DUTIES, ...(planned?.assignments ?? [])]);
      for (const key of planned?.keys ?? []) await hsm.plant(key);
    }),
  );
}

/** Uploads the policy document, unless somebody has put one there. */
export async function seedPolicy(storage: StorageService, seed: Seed): Promise<void> {
  const document = await readFile(inProject(seed.policyFile ?? 'infra/local/seed/demo-policy.json'));
  await storage.putBlobIfAbsent('policy', 'policy.json', document, 'application/json');
}
