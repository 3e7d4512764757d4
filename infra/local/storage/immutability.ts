import { StorageRefusal } from './refusal.ts';

/** Of one blob. `until` is an ISO instant. */
export interface BlobPolicy {
  until?: string;
  mode?: 'Unlocked' | 'Locked';
  legalHold?: boolean;
}

/** Of one container; set through Resource Manager in Azure, through the control surface here. */
export interface ContainerPolicy {
  /** Each blob is protected for so many days from its creation. */
  retentionDays?: number;
  legalHold?: boolean;
  /** Immutable storage with versioning: only then may blobs have policies of their own. */
  versionLevel?: boolean;
}

type ByName<T> = Record<string, T>;
type Saved = { containers: ByName<ContainerPolicy>; blobs: ByName<BlobPolicy> };

/** Immutability in one account. Rules: learn.microsoft.com/azure/storage/blobs/immutable-storage-overview */
export interface Immutability {
  container(name: string): ContainerPolicy;
  setContainer(name: string, policy: ContainerPolicy): void;
  blob(container: string, blob: string): BlobPolicy;
  /** Sets or extends a policy. Throws StorageRefusal when it may not be. */
  setPolicy(
    container: string,
    blob: string,
    policy: { until: string | undefined; mode: string | undefined },
  ): BlobPolicy;
  deletePolicy(container: string, blob: string): void;
  setLegalHold(container: string, blob: string, held: boolean): void;
  /** Throws StorageRefusal when the blob may not be changed; `created` is asked for only where a container's policy counts. */
  demandMutable(container: string, blob: string, created: () => Promise<Date | undefined>): Promise<void>;
  /** Whether something in the container, or in the whole account, is protected now. */
  protects(container?: string): boolean;
  /** After a deletion: the name may be used anew. */
  forget(container: string, blob: string): void;
  save(): Saved;
  load(saved: Saved): void;
  reset(): void;
}

const DAY_MS = 86_400_000;

/** Source of codes and texts: learn.microsoft.com/rest/api/storageservices/blob-service-error-codes */
const immutable = () =>
  new StorageRefusal(
    409,
    'BlobImmutableDueToPolicy',
    'This operation is not permitted as the blob is immutable due to a policy.',
  );
const held = () =>
  new StorageRefusal(
    409,
    'BlobImmutableDueToLegalHold',
    'This operation is not permitted as the blob is immutable due to one or more legal holds.',
  );
const badHeader = (message: string) => new StorageRefusal(400, 'InvalidHeaderValue', message);

/** Times are those of `Date`, which follows the estate's clock here as it does in Azurite. */
export function createImmutability(initial: ByName<ContainerPolicy> = {}): Immutability {
  let containers = new Map(Object.entries(initial));
  let blobs = new Map<string, BlobPolicy>();
  const keyOf = (container: string, blob: string) => `${container}/${blob}`;
  const find = (container: string, blob: string) => blobs.get(keyOf(container, blob)) ?? {};
  const put = (container: string, blob: string, policy: BlobPolicy) => blobs.set(keyOf(container, blob), policy);
  const isActive = ({ until }: BlobPolicy) => until !== undefined && Date.parse(until) > Date.now();
  const demandVersionLevel = (container: string) => {
    if (containers.get(container)?.versionLevel) return;
    // Documented requirement (set-blob-immutability-policy); its error was not found.
    const message = 'The container does not have immutable storage with versioning enabled.';
    throw new StorageRefusal(409, 'FeatureNotEnabled', message);
  };

  return {
    container: (name) => containers.get(name) ?? {},
    setContainer: (name, policy) => void containers.set(name, policy),
    blob: find,
    setPolicy(container, blob, { until, mode = 'Unlocked' }) {
      demandVersionLevel(container);
      const date = new Date(until ?? '');
      if (Number.isNaN(date.getTime())) throw badHeader('x-ms-immutability-policy-until-date is not a date.');
      if (date.getTime() <= Date.now()) throw badHeader('x-ms-immutability-policy-until-date lies in the past.');
      const lowerMode = mode.toLowerCase();
      if (lowerMode !== 'locked' && lowerMode !== 'unlocked')
        throw badHeader('x-ms-immutability-policy-mode is Unlocked or Locked.');
      const present = find(container, blob);
      const locked = present.mode === 'Locked' && isActive(present);
      // A locked policy can be extended, and nothing else.
      if (locked && (lowerMode === 'unlocked' || date < new Date(present.until ?? ''))) throw immutable();
      const policy: BlobPolicy = {
        ...present,
        until: date.toISOString(),
        mode: lowerMode === 'locked' ? 'Locked' : 'Unlocked',
      };
      put(container, blob, policy);
      return policy;
    },
    deletePolicy(container, blob) {
      demandVersionLevel(container);
      const { mode, until, ...rest } = find(container, blob);
      if (mode === 'Locked' && isActive({ ...(until === undefined ? {} : { until }) })) throw immutable();
      put(container, blob, rest);
    },
    setLegalHold(container, blob, legalHold) {
      demandVersionLevel(container);
      put(container, blob, { ...find(container, blob), legalHold });
    },
    async demandMutable(container, blob, created) {
      const policy = find(container, blob);
      const { retentionDays, legalHold } = containers.get(container) ?? {};
      // What does not exist yet may be written under a hold.
      if (policy.legalHold || (legalHold && (await created()))) throw held();
      if (isActive(policy)) throw immutable();
      if (retentionDays === undefined) return;
      const since = await created();
      if (since && since.getTime() + retentionDays * DAY_MS > Date.now()) throw immutable();
    },
    protects(container) {
      const inside = (key: string) => container === undefined || key.startsWith(`${container}/`);
      const guarded = ([name, policy]: [string, ContainerPolicy]) =>
        (container === undefined || name === container) && Boolean(policy.retentionDays || policy.legalHold);
      return (
        [...containers].some(guarded) ||
        [...blobs].some(([key, policy]) => inside(key) && (isActive(policy) || policy.legalHold))
      );
    },
    forget: (container, blob) => void blobs.delete(keyOf(container, blob)),
    save: () => ({ containers: Object.fromEntries(containers), blobs: Object.fromEntries(blobs) }),
    load(saved) {
      containers = new Map(Object.entries(saved.containers));
      blobs = new Map(Object.entries(saved.blobs));
    },
    reset() {
      containers = new Map(Object.entries(initial));
      blobs = new Map();
    },
  };
}
