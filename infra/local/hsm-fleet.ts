import { readFile } from 'node:fs/promises';
import type { Estate } from './estate.ts';
import { createEstateHsm, type EstateHsm, type HsmDefinition, type RoleFile } from './estate-hsm.ts';
import { IDENTITIES } from './identity/registrations.ts';
import { together } from './lifecycle.ts';
import type { Readings, SecurityDomain } from './managed-hsm/server.ts';
import { inProject } from './project.ts';
import { hsmResourceId } from './seed/resource-id.ts';
import type { HsmSeed } from './seed/seed.ts';

export type { EstateHsm, HsmDefinition } from './estate-hsm.ts';

/** A soft-deleted HSM: it answers nothing and costs as before. */
export interface DeletedHsm {
  hsm: EstateHsm;
  deletionDate: Date;
  scheduledPurgeDate: Date;
}

export interface NewHsm extends Partial<Omit<HsmDefinition, 'name' | 'createdOn'>> {
  name: string;
  /** Default: a new one, as Azure does. An HSM with the domain of another restores its backups. */
  securityDomain?: SecurityDomain;
}

/** The HSMs of the estate: those of the seed, and those that come and go while it runs. */
export interface Fleet {
  /** Always the same list. */
  readonly hsms: EstateHsm[];
  readonly deleted: ReadonlyMap<string, DeletedHsm>;
  /** Starts one more, not activated unless asked for. Throws when the name is taken, by a deleted one too. */
  create(hsm: NewHsm): Promise<EstateHsm>;
  /** Soft-deletes: the HSM stops answering, and its name stays taken. */
  remove(name: string): Promise<DeletedHsm>;
  recover(name: string): Promise<EstateHsm>;
  /** Throws when purge protection holds it. */
  purge(name: string): void;
  save(): unknown;
  /** Brings back what `save` gave, and starts the HSMs that were made while the estate ran. */
  load(saved: unknown): Promise<void>;
  /** Empties the HSMs of the seed and takes the others away. */
  reset(): Promise<void>;
  stop(): Promise<void>;
}

interface SavedHsm {
  definition: HsmDefinition;
  port: number;
  state: unknown;
  deleted?: { deletionDate: string; scheduledPurgeDate: string };
}

const DAY_MS = 86_400_000;

const DEFAULTS: Omit<HsmDefinition, 'name' | 'resourceId'> = {
  region: 'westeurope',
  retentionDays: 90,
  purgeProtection: true,
  administrators: [IDENTITIES.administrator.objectId],
  identities: ['backup'],
  activated: true,
};

/** Starts the HSMs of the seeds, empty and activated. */
export async function startFleet(options: {
  estate: Estate;
  seeds: readonly HsmSeed[];
  port(index: number): number;
  /** Of the HSMs of the seeds; default on. */
  purgeProtection?: boolean;
  storageToken(identity: string): Promise<{ token: string; expiresOn: number }>;
  readings?: Partial<Readings>;
}): Promise<Fleet> {
  const { estate, readings, storageToken } = options;
  const roles = JSON.parse(await readFile(inProject('infra/azure/hsm-roles.json'), 'utf8')) as RoleFile[];
  const hsms: EstateHsm[] = [];
  const deleted = new Map<string, DeletedHsm>();
  let started = 0;

  const make = (definition: HsmDefinition, port: number, securityDomain?: SecurityDomain) =>
    createEstateHsm(definition, {
      ...{ estate, roles, storageToken, port },
      ...(readings ? { readings } : {}),
      ...(securityDomain ? { securityDomain } : {}),
    });
  const everyone = () => [...hsms, ...[...deleted.values()].map(({ hsm }) => hsm)];
  const isOfSeed = ({ definition }: EstateHsm) => definition.createdOn === undefined;
  const drop = (hsm: EstateHsm) => {
    const index = hsms.indexOf(hsm);
    if (index >= 0) hsms.splice(index, 1);
  };
  const deletedNamed = (name: string): DeletedHsm => {
    const found = deleted.get(name);
    if (!found) throw new Error(`There is no deleted HSM ${name}.`);
    return found;
  };
  const remove = async (name: string, dates?: SavedHsm['deleted']): Promise<DeletedHsm> => {
    const hsm = hsms.find((one) => one.name === name);
    if (!hsm) throw new Error(`There is no HSM ${name}.`);
    const deletionDate = dates ? new Date(dates.deletionDate) : estate.clock.now();
    const scheduledPurgeDate = new Date(deletionDate.getTime() + hsm.definition.retentionDays * DAY_MS);
    drop(hsm);
    const entry = { hsm, deletionDate, scheduledPurgeDate };
    deleted.set(name, entry);
    estate.clock.at(scheduledPurgeDate, () => deleted.get(name) === entry && deleted.delete(name));
    await hsm.stop();
    return entry;
  };

  for (const { name, resourceId, securityDomainOf } of options.seeds) {
    const sharing = hsms.find((hsm) => hsm.name === securityDomainOf);
    if (securityDomainOf !== undefined && !sharing) {
      throw new Error(
        `The seed lets HSM ${name} share the security domain of ${securityDomainOf}, which it does not name before.`,
      );
    }
    const { purgeProtection = DEFAULTS.purgeProtection } = options;
    const definition = { ...DEFAULTS, purgeProtection, name, resourceId };
    hsms.push(make(definition, options.port(started++), sharing?.securityDomain));
  }
  const stop = async () => void (await Promise.all(hsms.map((hsm) => hsm.stop())));
  await together(hsms.map((hsm) => hsm.start())).catch(async (error: unknown) => {
    await stop();
    throw error;
  });

  return {
    hsms,
    deleted,
    async create({ name, securityDomain, ...given }) {
      if (everyone().some((hsm) => hsm.name === name)) throw new Error(`The name ${name} is taken.`);
      const createdOn = estate.clock.now().toISOString();
      const definition = { ...DEFAULTS, activated: false, identities: [], resourceId: hsmResourceId(name), ...given };
      const hsm = make({ ...definition, name, createdOn }, options.port(started++), securityDomain);
      hsms.push(hsm);
      await hsm.start().catch((error: unknown) => {
        drop(hsm);
        throw error;
      });
      return hsm;
    },
    remove: (name) => remove(name),
    async recover(name) {
      const { hsm } = deletedNamed(name);
      await hsm.start();
      deleted.delete(name);
      hsms.push(hsm);
      return hsm;
    },
    purge(name) {
      const { hsm } = deletedNamed(name);
      if (hsm.definition.purgeProtection) throw new Error(`Purge protection is enabled on HSM ${name}.`);
      deleted.delete(name);
    },
    save: (): SavedHsm[] => [
      ...hsms.map((hsm) => ({ definition: hsm.definition, port: hsm.port, state: hsm.save() })),
      ...[...deleted.values()].map(({ hsm, deletionDate, scheduledPurgeDate }) => ({
        ...{ definition: hsm.definition, port: hsm.port, state: hsm.save() },
        deleted: { deletionDate: deletionDate.toISOString(), scheduledPurgeDate: scheduledPurgeDate.toISOString() },
      })),
    ],
    async load(saved) {
      for (const { definition, port, state, deleted: dates } of saved as SavedHsm[]) {
        let hsm = hsms.find((one) => one.name === definition.name);
        if (!hsm) {
          // Identifiers carry the port, so it has to come back at the same one.
          hsm = make(definition, port);
          hsms.push(hsm);
          await hsm.start();
        }
        hsm.load(state);
        if (dates) await remove(definition.name, dates);
      }
    },
    async reset() {
      for (const { hsm } of deleted.values()) {
        if (!isOfSeed(hsm)) continue;
        await hsm.start();
        hsms.push(hsm);
      }
      deleted.clear();
      for (const hsm of hsms.filter((one) => !isOfSeed(one))) {
        drop(hsm);
        await hsm.stop();
      }
      for (const hsm of hsms) hsm.reset();
    },
    stop,
  };
}
