/** One storage account of the estate. Its path-style name is the only visible difference from Azure. */
export interface StorageAccount {
  name: string;
  /** base64, no secret: everybody who runs the estate has it. */
  key: string;
  containers: readonly string[];
  /** Those of the containers with immutable storage with versioning, in which blobs can be locked. */
  versionLevel: readonly string[];
}

export const ACCOUNT = 'devstoreaccount1';
export const CONTAINERS = ['policy', 'state', 'journal', 'evidence', 'key-backups', 'dead-letters'] as const;
export const QUEUES = ['key-events'] as const;

const keyOf = (name: string) => Buffer.alloc(64, name).toString('base64');

/** `state` is the product's own; `landing` is where HSMs write backups; `vault`, in another region, keeps the copies. */
export const ACCOUNTS = {
  state: {
    name: ACCOUNT,
    // Azurite's well-known key.
    key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
    containers: CONTAINERS,
    versionLevel: ['evidence'],
  },
  landing: { name: 'estatelanding', key: keyOf('landing'), containers: ['hsm-backups'], versionLevel: [] },
  vault: { name: 'estatevault', key: keyOf('vault'), containers: ['hsm-backups'], versionLevel: ['hsm-backups'] },
} as const satisfies Record<string, StorageAccount>;

export type AccountName = keyof typeof ACCOUNTS;
export const ACCOUNT_NAMES = Object.keys(ACCOUNTS) as AccountName[];

/** What Azurite reads from the environment, and again every minute. */
export const azuriteAccounts = (): string =>
  Object.values(ACCOUNTS)
    .map(({ name, key }) => `${name}:${key}`)
    .join(';');
