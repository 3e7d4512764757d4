import { readFile } from 'node:fs/promises';
import type { Estate } from './estate.ts';
import { IDENTITIES } from './identity/registrations.ts';
import { type Lifecycle, together } from './lifecycle.ts';
import { addFullBackups, type FullBackups } from './managed-hsm/backup/service.ts';
import { createManagedHsm, type ManagedHsm, type Readings } from './managed-hsm/server.ts';
import { inProject } from './project.ts';
import { type AssignmentSeed, type HsmSeed, instantOf, type KeySeed } from './seed/seed.ts';

/** One Managed HSM of the estate, with what seeds and the control surface need of it. */
export interface EstateHsm extends ManagedHsm {
  readonly resourceId: string;
  /** Full backup and restore, with the identities attached to the HSM. */
  readonly backups: FullBackups;
  plant(key: KeySeed): Promise<void>;
  /** Puts in the custom roles of infra/azure/hsm-roles.json and these assignments. */
  grant(assignments: readonly AssignmentSeed[]): Promise<void>;
}

/** infra/azure/hsm-roles.json: what the deployment creates on a real HSM. */
interface RoleFile {
  name: string;
  roleName: string;
  description: string;
  permissions: { dataActions: string[] }[];
}

const REGION = 'westeurope';
const DATA_ACTION_PREFIX = 'Microsoft.KeyVault/managedHsm/';

/** Starts the HSMs of the seeds, empty. */
export async function startFleet(options: {
  estate: Estate;
  seeds: readonly HsmSeed[];
  port(index: number): number;
  lifecycle: Lifecycle;
  /** A token for storage of the identity of that name. */
  storageToken(identity: string): Promise<{ token: string; expiresOn: number }>;
  readings?: Partial<Readings>;
}): Promise<EstateHsm[]> {
  const { estate, readings, storageToken } = options;
  const roles = JSON.parse(await readFile(inProject('infra/azure/hsm-roles.json'), 'utf8')) as RoleFile[];
  const fleet = options.seeds.map(({ name, resourceId }, index) =>
    toEstateHsm(
      createManagedHsm({
        name,
        resourceId,
        region: REGION,
        retentionDays: 90,
        purgeProtection: true,
        port: options.port(index),
        estate,
        administrators: [IDENTITIES.administrator.objectId],
        ...(readings ? { readings } : {}),
      }),
      { resourceId, roles, estate, storageToken },
    ),
  );
  await together(fleet.map((hsm) => options.lifecycle.running(hsm.start().then(() => hsm))));
  return fleet;
}

function toEstateHsm(
  hsm: ManagedHsm,
  options: {
    resourceId: string;
    roles: readonly RoleFile[];
    estate: Estate;
    storageToken(identity: string): Promise<{ token: string; expiresOn: number }>;
  },
): EstateHsm {
  const { resourceId, roles, estate, storageToken } = options;
  const backups = addFullBackups({ hsm, estate, region: REGION, storageToken, identities: ['backup'] });
  const plant = async (seed: KeySeed): Promise<void> => {
    const now = estate.clock.now();
    const { name, kty, size, crv, keyOps, tags, enabled, versions, imported } = seed;
    const at = (text: string | undefined) => (text === undefined ? undefined : instantOf(text, now));
    const attributes = withoutUndefined({
      enabled,
      created: at(seed.created),
      exp: at(seed.expires),
      nbf: at(seed.notBefore),
    });
    await hsm.seedKey({
      name,
      kty,
      attributes,
      pooledMaterial: true,
      ...withoutUndefined({ size, crv, keyOps, tags, versions, imported, rotationPolicy: policyBody(seed) }),
    });
  };
  const grant = async (assignments: readonly AssignmentSeed[]): Promise<void> => {
    for (const { name, roleName, description, permissions } of roles) {
      const dataActions = permissions.flatMap((permission) => permission.dataActions.map(withoutPrefix));
      hsm.seedRole({ name, roleName, description, dataActions });
    }
    const definitions = hsm.keys().roleDefinitions;
    for (const { identity, role, scope } of assignments) {
      const definition = definitions.find(({ properties }) => properties.roleName === role);
      if (!definition) throw new Error(`The seed assigns the role ${role}, which HSM ${hsm.name} does not have.`);
      const principalId = IDENTITIES[identity].objectId;
      hsm.seedAssignment({ principalId, roleDefinitionId: definition.name, scope });
    }
  };
  // The HSM answers some properties by getters, which a spread would freeze.
  return Object.assign(Object.create(hsm) as ManagedHsm, {
    ...{ resourceId, plant, grant, backups },
    save: () => ({ hsm: hsm.save(), backups: backups.save() }),
    load(saved: unknown) {
      const state = saved as { hsm: unknown; backups: unknown };
      hsm.load(state.hsm);
      backups.load(state.backups);
    },
    reset() {
      hsm.reset();
      backups.reset();
    },
    async stop() {
      backups.stop();
      await hsm.stop();
    },
  });
}

const withoutPrefix = (action: string): string => action.slice(DATA_ACTION_PREFIX.length);

function policyBody({ rotationPolicy }: KeySeed) {
  if (!rotationPolicy) return undefined;
  const { expiryTime, rotate } = rotationPolicy;
  return {
    attributes: withoutUndefined({ expiryTime }),
    lifetimeActions: rotate ? [{ trigger: withoutUndefined(rotate), action: { type: 'Rotate' } }] : [],
  };
}

type Defined<T> = { [Name in keyof T]: Exclude<T[Name], undefined> };

const withoutUndefined = <T extends object>(object: T): Partial<Defined<T>> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Partial<Defined<T>>;
