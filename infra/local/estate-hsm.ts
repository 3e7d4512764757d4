import type { Estate } from './estate.ts';
import { IDENTITIES } from './identity/registrations.ts';
import { addFullBackups, type FullBackups } from './managed-hsm/backup/service.ts';
import { addSecurityDomain, type SecurityDomainService } from './managed-hsm/security-domain/service.ts';
import { createManagedHsm, type ManagedHsm, type Readings, type SecurityDomain } from './managed-hsm/server.ts';
import { type AssignmentSeed, instantOf, type KeySeed } from './seed/seed.ts';

/** What an HSM is made of, as its Azure resource says. */
export interface HsmDefinition {
  name: string;
  resourceId: string;
  region: string;
  /** 7 to 90. */
  retentionDays: number;
  purgeProtection: boolean;
  /** Object ids. */
  administrators: readonly string[];
  /** Names of the identities attached from the start. */
  identities: readonly string[];
  /** Whether its security domain was downloaded before it came into the estate. */
  activated: boolean;
  /** ISO instant; absent for an HSM of the seed. */
  createdOn?: string;
  tags?: Record<string, string>;
  /** Closed to the public network: answers once a private endpoint leads to it. HSMs of the seed are open to the host. */
  closed?: boolean;
  endpoints?: EndpointDefinition[];
}

/** A private endpoint that leads to the HSM. */
export interface EndpointDefinition {
  resourceId: string;
  region: string;
  subnetId: string;
  tags: Record<string, string>;
  /** Private DNS zones that hold its name. */
  zones: string[];
}

/** One Managed HSM of the estate, with what seeds, the control surface and the management endpoint need of it. */
export interface EstateHsm extends ManagedHsm {
  readonly resourceId: string;
  readonly definition: HsmDefinition;
  /** Full backup and restore, with the identities attached to the HSM. */
  readonly backups: FullBackups;
  readonly domainService: SecurityDomainService;
  plant(key: KeySeed): Promise<void>;
  /** Puts in the custom roles of infra/azure/hsm-roles.json and these assignments. */
  grant(assignments: readonly AssignmentSeed[]): Promise<void>;
}

/** infra/azure/hsm-roles.json: what the deployment creates on a real HSM. */
export interface RoleFile {
  name: string;
  roleName: string;
  description: string;
  permissions: { dataActions: string[] }[];
}

export interface EstateHsmOptions {
  estate: Estate;
  roles: readonly RoleFile[];
  /** A token for storage of the identity of that name. */
  storageToken(identity: string): Promise<{ token: string; expiresOn: number }>;
  port: number;
  readings?: Partial<Readings>;
  securityDomain?: SecurityDomain;
}

const DATA_ACTION_PREFIX = 'Microsoft.KeyVault/managedHsm/';

export function createEstateHsm(definition: HsmDefinition, options: EstateHsmOptions): EstateHsm {
  const { estate, roles, storageToken, port, readings, securityDomain } = options;
  const { name, resourceId, region, retentionDays, purgeProtection, administrators, identities, activated } =
    definition;
  const hsm = createManagedHsm({
    ...{ name, resourceId, region, retentionDays, purgeProtection, port, estate, activated },
    reachable: () => !definition.closed || (definition.endpoints ?? []).length > 0,
    administrators: [...administrators],
    ...(readings ? { readings } : {}),
    ...(securityDomain ? { securityDomain } : {}),
  });
  const backups = addFullBackups({ hsm, estate, region, storageToken, identities });
  const domainService = addSecurityDomain({ hsm, clock: estate.clock });
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
    ...{ resourceId, definition, plant, grant, backups, domainService },
    save: () => ({ hsm: hsm.save(), backups: backups.save(), domain: domainService.save() }),
    load(saved: unknown) {
      const state = saved as { hsm: unknown; backups: unknown; domain: unknown };
      hsm.load(state.hsm);
      domainService.load(state.domain);
      backups.load(state.backups);
    },
    reset() {
      hsm.reset();
      domainService.reset();
      backups.reset();
    },
    async stop() {
      backups.stop();
      domainService.stop();
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
