import { drillTags } from '../../shared/drill/decide-tear-down.ts';
import type { World } from '../world.ts';
import { reachNewHsm } from './hsm-endpoints.ts';
import { joinHsm, knownHsm } from './joined-hsms.ts';
import { demandReported } from './recovery-approvals.ts';
import { changeRecovery, newResourceId, reportStep, type StoredRecovery } from './recovery-records.ts';
import { announceStep, later, recoveryWorld, type StepResult, stepRefused } from './recovery-steps.ts';
import { mayCreate } from './rehearsals.ts';
import { lineagePath, securityDomainOf } from './security-domain-lineage.ts';

/** How often the service is asked while it makes an HSM, or opens a security domain. */
const LOOK_AGAIN_MS = 15_000;

/** Creates the new HSM, and lets the app reach it once it is provisioned. It is not activated: nobody downloads a new domain. */
export async function createNewHsm(world: World, recovery: StoredRecovery): Promise<StepResult> {
  const { resources } = recoveryWorld(world);
  const resourceId = newResourceId(world, recovery);
  const found = await resources.read(resourceId);
  const { rehearsal } = recovery;
  if (!found) {
    const { region, tenantId, administrators, identities, hsm } = recovery;
    const unapproved = await demandReported(world, recovery, 'createHsm', recovery.backup);
    if (unapproved) return unapproved;
    if (rehearsal && !(await mayCreate(world, recovery))) return stepRefused('The drill is over: nothing is made.');
    const outcome = await announceStep(world, recovery, 'hsm.create');
    await resources.create({
      ...{ resourceId, region, tenantId, administrators, identities },
      softDeleteRetentionDays: rehearsal?.softDeleteDays ?? 90,
      purgeProtection: rehearsal === undefined,
      publicAccess: false,
      tags: rehearsal ? drillTags(world.installation, rehearsal.drill) : { recovers: hsm },
    });
    await outcome('done');
    return later(world, LOOK_AGAIN_MS, `${recovery.newHsm} is being created`);
  }
  if (rehearsal && recovery.creationSentOn === undefined) {
    return stepRefused(`Azure has an HSM named ${recovery.newHsm}, which this drill did not make.`, 'NameTaken');
  }
  if (rehearsal && found.purgeProtection) {
    return stepRefused(
      `${recovery.newHsm} came out with purge protection: it cannot be purged before its retention ends.`,
      'PurgeProtectionOnTemporary',
    );
  }
  if (found.provisioningState === 'Failed') {
    return stepRefused(`Azure could not create ${recovery.newHsm}: ${found.statusMessage ?? 'it does not say why'}.`);
  }
  if (found.activation === 'Active') {
    return stepRefused(
      `${recovery.newHsm} exists and is activated already: it has a security domain of its own, and cannot be recovered into.`,
    );
  }
  if (found.uri === undefined || found.provisioningState === 'Provisioning') {
    return later(world, LOOK_AGAIN_MS, `${recovery.newHsm} is being provisioned`);
  }
  const way = await reachNewHsm(world, recovery, found);
  if (way) return way;
  const lost = await knownHsm(world, recovery.hsm);
  const uri = found.uri.replace(/\/+$/, '');
  const drill = rehearsal ? { drill: rehearsal.drill } : {};
  await joinHsm(world, { name: recovery.newHsm, uri, resourceId, settleSeconds: lost.settleSeconds, ...drill });
  return { kind: 'done', evidence: `${resourceId}, provisioned in ${found.region} and not activated` };
}

/** Asks for the exchange key, which puts the HSM into recovery; the service gives the same key again. */
export async function enterRecovery(world: World, recovery: StoredRecovery): Promise<StepResult> {
  await knownHsm(world, recovery.newHsm);
  const outcome = await announceStep(world, recovery, 'securityDomain.transferKey');
  const exchangeKey = await recoveryWorld(world).securityDomain.transferKey(recovery.newHsm);
  await changeRecovery(world, recovery.id, (current) => ({ ...current, exchangeKey }));
  await outcome('done');
  return { kind: 'done', evidence: `exchange key ${fingerprintOf(exchangeKey.key)}` };
}

/** SHA-256 of the certificate, as the service writes it beside the key. */
export function fingerprintOf(key: string): string {
  const jwk = JSON.parse(key) as { 'x5t#S256'?: unknown };
  return typeof jwk['x5t#S256'] === 'string' ? jwk['x5t#S256'] : 'without fingerprint';
}

/** Follows the upload to its end. A blob that the HSM cannot open sends the work back to the holders. */
export async function awaitActivation(world: World, recovery: StoredRecovery): Promise<StepResult> {
  await knownHsm(world, recovery.newHsm);
  const { securityDomain, resources } = recoveryWorld(world);
  const progress = await securityDomain.readUpload(recovery.newHsm);
  if (progress.kind === 'running') {
    return later(world, LOOK_AGAIN_MS, `${recovery.newHsm} takes the security domain`);
  }
  if (progress.kind === 'failed') {
    const explanation = `The HSM did not accept the security domain: ${progress.details ?? 'it does not say why'}.`;
    await reportStep(world, recovery, {
      ...{ step: 'upload', result: 'failed', by: 'automation', evidence: explanation },
      at: world.clock.now().toISOString(),
    });
    return stepRefused(`${explanation} Wrap it again for the exchange key, and upload it anew.`);
  }
  const found = await resources.read(newResourceId(world, recovery));
  if (found?.activation !== 'Active') return later(world, LOOK_AGAIN_MS, `${recovery.newHsm} is not active yet`);
  // From now on it can restore the backups of the lost one, and the guard of restores has to know.
  const lineage = await securityDomainOf(world, recovery.hsm);
  await world.documents.put('state', lineagePath(recovery.newHsm), { schema: 1, lineage });
  return { kind: 'done', evidence: `activation status Active, ${lineage}` };
}

/** Sees to it that the HSM can reach its backups with the identities that were named. */
export async function attachIdentities(world: World, recovery: StoredRecovery): Promise<StepResult> {
  const { resources } = recoveryWorld(world);
  const resourceId = newResourceId(world, recovery);
  const found = await resources.read(resourceId);
  if (!found) return stepRefused(`${recovery.newHsm} is gone.`);
  const attached = new Set(found.identities.map((id) => id.toLowerCase()));
  if (recovery.identities.every((id) => attached.has(id.toLowerCase()))) {
    return { kind: 'done', evidence: found.identities.join(', ') };
  }
  const outcome = await announceStep(world, recovery, 'hsm.attachIdentities');
  await resources.attachIdentities(resourceId, recovery.identities);
  await outcome('done');
  return later(world, LOOK_AGAIN_MS, 'the identities are being attached');
}
