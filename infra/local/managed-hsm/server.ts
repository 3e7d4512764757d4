import { randomUUID } from 'node:crypto';
import type { Estate, Service } from '../estate.ts';
import { type Listener, listen } from '../http.ts';
import { createAccess, type RoleAssignment } from './access.ts';
import { createAgenda } from './agenda.ts';
import { createSecurityDomain, type SecurityDomain } from './backup-blob.ts';
import { HsmError } from './errors.ts';
import { createKeyStore, type KeyStore } from './keys.ts';
import { type DeletedKey, unixSeconds } from './model.ts';
import { loadKeys, type SavedKeys, saveKeys } from './persistence.ts';
import { type CallCounts, createPipeline } from './pipeline.ts';
import { defaultReadings, type Readings } from './readings.ts';
import { ADMINISTRATOR, createRoleDefinitions, DATA_ACTION_PREFIX, type RoleDefinition } from './roles.ts';
import { type AutomaticRotation, createAutomaticRotation } from './rotation.ts';
import { accessRoutes } from './routes/access.ts';
import { cryptoRoutes } from './routes/crypto.ts';
import { deletedKeyRoutes } from './routes/deleted-keys.ts';
import { keyBackupRoutes } from './routes/key-backups.ts';
import { keyRoutes } from './routes/keys.ts';
import { randomRoutes } from './routes/random.ts';
import { rotationPolicyRoutes } from './routes/rotation-policy.ts';
import type { Route } from './routes/route.ts';
import { createSeeder, type KeySeed } from './seed.ts';
import { createSettings, type SavedSettings } from './settings.ts';
import { type HsmState, keyStates } from './state.ts';
import { keyUrl, type Vault } from './wire.ts';

export type { SecurityDomain } from './backup-blob.ts';
export { HsmError } from './errors.ts';
export type { Readings } from './readings.ts';
export type { Call, Reply, Route } from './routes/route.ts';
export type { KeySeed } from './seed.ts';
export type { HsmState, KeyState, VersionState } from './state.ts';

export interface ManagedHsmOptions {
  name: string;
  /** ARM id, for audit rows. */
  resourceId: string;
  region: string;
  /** 7 to 90. */
  retentionDays: number;
  purgeProtection: boolean;
  /** 0: a free one. */
  port: number;
  /** Default `managedhsm.azure.net`; also the audience of tokens. */
  domain?: string;
  estate: Estate;
  /** Object ids with Managed HSM Administrator at `/`. */
  administrators: string[];
  readings?: Partial<Readings>;
  /** Default: a new one. Two HSMs with the same domain restore each other's backups. */
  securityDomain?: SecurityDomain;
  /** Whether the caller's network leads to it; default: it does. */
  reachable?(): boolean;
  /** Default true; a new HSM of the service is not, until its security domain was downloaded. */
  activated?: boolean;
}

export type Busy = { kind: 'backup' | 'restore'; until?: Date };

/** What a full backup holds: keys with all versions, custom roles, assignments. JSON, private members included. */
export interface HsmContents {
  keys: SavedKeys;
  roleDefinitions: RoleDefinition[];
  roleAssignments: RoleAssignment[];
}

export interface ManagedHsm extends Service {
  /** `https://{name}.{domain}:{port}`. Throws before the port is known. */
  readonly uri: string;
  readonly port: number;
  /** May be changed while it runs. */
  readonly readings: Readings;
  keys(): HsmState;
  /** Throws HsmError for what the service would refuse, for example a name that is taken. */
  seedKey(seed: KeySeed): Promise<void>;
  /** Returns the id of the definition. Actions are given with or without the prefix `Microsoft.KeyVault/managedHsm/`. */
  seedRole(role: { name?: string; roleName: string; description?: string; dataActions: string[] }): string;
  /** Returns the name of the assignment. `roleDefinitionId` may be the bare GUID. */
  seedAssignment(assignment: { principalId: string; roleDefinitionId: string; scope: string }): string;
  /** Restore: every call except those routes that say otherwise answers 409. Backup: nothing is refused. */
  setBusy(busy: Busy | undefined): void;
  readonly busy: Busy['kind'] | undefined;
  /** Adds routes under the same authentication, rights, faults and audit; they come before the built-in ones. */
  extend(routes: readonly Route[]): void;
  contents(): HsmContents;
  /** Wipes the HSM and puts back `contents`, as a full restore does. Soft-deleted keys and settings stay out of it. */
  replaceContents(contents: HsmContents): void;
  /** Adds one key of `contents`. Throws 404 when it is not in there, 409 when the name is active or soft-deleted. */
  restoreKeyFrom(contents: HsmContents, name: string): { versions: number };
  readonly securityDomain: SecurityDomain;
  setSecurityDomain(domain: SecurityDomain): void;
  /** Whether the data plane answers. */
  readonly activated: boolean;
  setActivated(activated: boolean): void;
}

interface Saved extends HsmContents {
  settings: SavedSettings;
  securityDomain: SecurityDomain;
  activated: boolean;
  calls: CallCounts;
}

const fullAction = (action: string) =>
  action.startsWith(DATA_ACTION_PREFIX) ? action : `${DATA_ACTION_PREFIX}${action}`;

/** A Managed HSM on loopback, for unmodified clients. README.md says what it answers and where it differs from Azure. */
export function createManagedHsm(options: ManagedHsmOptions): ManagedHsm {
  const { name, estate, domain = 'managedhsm.azure.net' } = options;
  const readings: Readings = { ...defaultReadings, ...options.readings };
  const now = () => unixSeconds(estate.clock.now());
  let { port } = options;
  let listener: Listener | undefined;
  let securityDomain = options.securityDomain ?? createSecurityDomain();
  let activated = options.activated ?? true;
  let busy: { kind: Busy['kind']; cancel(): void } | undefined;

  const vault: Vault = {
    get uri() {
      if (port === 0) throw new Error(`Managed HSM ${name} has no address before it starts.`);
      return `https://${name}.${domain}:${port}`;
    },
    retentionDays: options.retentionDays,
    purgeProtection: options.purgeProtection,
  };

  const agenda = createAgenda(estate.clock);
  // Identifiers need the port, so nothing happens by itself before the HSM listens.
  agenda.suspend();
  const automatic = createAutomaticRotation({ agenda, keys: () => keys, now, done: auditAutomaticRotation });
  const keys: KeyStore = createKeyStore({
    vault,
    readings,
    now,
    onChange: automatic.reconsider,
    onDeletedChange: schedulePurge,
  });
  const roles = createRoleDefinitions(readings);
  const access = createAccess(roles, readings);
  const settings = createSettings();
  const seed = createSeeder({ keys, readings, now });

  const extensions: Route[] = [];
  const builtIn = [
    ...accessRoutes({ roles, access, settings }),
    ...cryptoRoutes({ vault, keys, readings, now }),
    ...keyBackupRoutes({ vault, keys, securityDomain: () => securityDomain }),
    ...rotationPolicyRoutes({ vault, keys, readings }),
    ...deletedKeyRoutes({ vault, keys }),
    ...keyRoutes({ vault, keys, readings }),
    ...randomRoutes(),
  ];
  const pipeline = createPipeline({
    name,
    resourceId: options.resourceId,
    region: options.region,
    audience: `https://${domain}`,
    estate,
    vault,
    readings,
    access,
    routes: () => [...extensions, ...builtIn],
    restoring: () => busy?.kind === 'restore',
    activated: () => activated,
    reachable: options.reachable ?? (() => true),
  });

  function schedulePurge(keyName: string, key: DeletedKey | undefined): void {
    const id = `purge:${keyName}`;
    if (key) agenda.set(id, key.scheduledPurgeDate, () => keys.purge(keyName));
    else agenda.cancel(id);
  }

  function auditAutomaticRotation(rotation: AutomaticRotation): void {
    estate.audit({
      time: estate.clock.now().toISOString(),
      hsm: name,
      resourceId: options.resourceId,
      operationName: 'KeyRotateIfDue',
      httpStatusCode: rotation.status,
      resultType: readings.auditResultType === 'byStatus' && rotation.status >= 400 ? 'Failure' : 'Success',
      ...(rotation.description === undefined ? {} : { resultDescription: rotation.description }),
      callerIpAddress: '',
      clientInfo: '',
      requestUri: `${keyUrl(vault, rotation.name)}/rotate`,
      correlationId: randomUUID(),
      durationMs: 0,
      identity: {},
      id: keyUrl(vault, rotation.name, rotation.version),
    });
  }

  const makeAdministrators = () => {
    for (const oid of options.administrators) access.grant(oid, ADMINISTRATOR, '/');
  };

  const setBusy = (next: Busy | undefined) => {
    busy?.cancel();
    busy = undefined;
    if (!next) return;
    const cancel = next.until
      ? estate.clock.at(next.until, () => {
          busy = undefined;
        })
      : () => undefined;
    busy = { kind: next.kind, cancel };
  };

  const contents = (): HsmContents => ({
    keys: saveKeys(keys.list(), keys.listDeleted()),
    roleDefinitions: structuredClone(roles.custom()),
    roleAssignments: structuredClone(access.all()),
  });

  const replaceContents = (next: HsmContents) => {
    keys.clear();
    for (const key of loadKeys(next.keys).keys) keys.insert(key);
    roles.replaceCustom(next.roleDefinitions);
    access.replaceAll(next.roleAssignments);
  };

  makeAdministrators();

  return {
    name,
    get url() {
      return vault.uri;
    },
    get uri() {
      return vault.uri;
    },
    get port() {
      return port;
    },
    readings,
    get busy() {
      return busy?.kind;
    },
    get securityDomain() {
      return securityDomain;
    },
    setSecurityDomain(next) {
      securityDomain = next;
    },
    get activated() {
      return activated;
    },
    setActivated(next) {
      activated = next;
    },

    async start() {
      listener = await listen({ port, tls: estate.tls, origin: `https://${name}.${domain}`, handle: pipeline.handle });
      port = listener.port;
      agenda.resume();
    },
    async stop() {
      agenda.suspend();
      setBusy(undefined);
      await listener?.close();
      listener = undefined;
    },

    keys() {
      const byOperation = pipeline.counts();
      return {
        name,
        uri: vault.uri,
        ...keyStates(vault, keys),
        roleDefinitions: roles.list(),
        roleAssignments: access.all(),
        settings: settings.list(),
        busy: busy?.kind,
        calls: { total: Object.values(byOperation).reduce((sum, count) => sum + count, 0), byOperation },
      };
    },

    seedKey: async (key) => void (await seed(key)),
    seedRole({ name: roleName = randomUUID(), ...role }) {
      return roles.put(roleName, () => ({
        properties: {
          roleName: role.roleName,
          description: role.description ?? '',
          permissions: [{ dataActions: role.dataActions.map(fullAction) }],
        },
      })).id;
    },
    seedAssignment: ({ principalId, roleDefinitionId, scope }) =>
      access.grant(principalId, roleDefinitionId, scope).name,
    setBusy,
    extend: (routes) => void extensions.push(...routes),
    contents,
    replaceContents,
    restoreKeyFrom(source, keyName) {
      const key = loadKeys(source.keys).keys.find((candidate) => candidate.name === keyName);
      if (!key) throw new HsmError(404, readings.missingKeyCode, `Key not found: ${keyUrl(vault, keyName)}`);
      keys.insert(key);
      return { versions: key.versions.length };
    },

    save: (): Saved => ({
      ...contents(),
      settings: settings.save(),
      securityDomain,
      activated,
      calls: pipeline.counts(),
    }),
    load(saved) {
      const state = saved as Saved;
      replaceContents(state);
      for (const key of loadKeys(state.keys).deletedKeys) keys.insertDeleted(key);
      settings.load(state.settings);
      securityDomain = state.securityDomain;
      activated = state.activated;
      pipeline.setCounts(state.calls);
    },
    reset() {
      setBusy(undefined);
      activated = options.activated ?? true;
      keys.clear();
      roles.replaceCustom([]);
      access.replaceAll([]);
      makeAdministrators();
      settings.load({});
      pipeline.setCounts({});
    },
  };
}
