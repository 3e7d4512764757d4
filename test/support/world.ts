import { createHash, randomBytes } from 'node:crypto';
import type { World } from '../../functions/world.ts';
import { createCertificates } from '../../shared/adapters/certificates.ts';
import { AppError } from '../../shared/errors.ts';
import type { LifecycleEvent } from '../../shared/events/lifecycle-event.ts';
import { chainLine, GENESIS } from '../../shared/journal/chain.ts';
import type { JournalEntry } from '../../shared/journal/entry.ts';
import type { HsmRotationPolicy, KeyFacts, KeyRef, KeyVersionSummary } from '../../shared/keys/key.ts';
import type { Documents, Stored } from '../../shared/ports/documents.ts';
import type { HsmKeys } from '../../shared/ports/hsm-keys.ts';
import type { Mail } from '../../shared/ports/mailer.ts';

/** A key as the fake HSM holds it; the newest version last. */
export interface FakeKey {
  versions: KeyFacts[];
  policy?: HsmRotationPolicy;
}

/** A hand-written world: everything an activity may touch, in memory, with the places where a test may interfere. */
export interface FakeWorld extends World {
  fakeKeys: Map<string, FakeKey>;
  now: { value: Date };
  journalled: JournalEntry[];
  published: LifecycleEvent[];
  mailed: Mail[];
  stored: Map<string, { text: string; etag: number }>;
  /** Called before each rotation takes effect and after it; a throw is what the caller sees. */
  onRotate: { before?(key: KeyRef): void; after?(key: KeyRef): void };
  /** Called before a version is enabled or disabled, and after it. */
  onEnable: { before?(): void; after?(): void };
  /** Called before each write to the document store. */
  onWrite: { before?(path: string): void };
  calls: string[];
}

export const aVersion = (): string => randomBytes(16).toString('hex');

export function aKey(overrides: Partial<KeyFacts> = {}): KeyFacts {
  return {
    name: 'orders',
    enabled: true,
    createdOn: '2029-01-31T00:00:00.000Z',
    updatedOn: '2029-01-31T00:00:00.000Z',
    expiresOn: '2030-01-20T00:00:00.000Z',
    tags: { owner: 'payments@contoso.example' },
    version: aVersion(),
    keyType: 'RSA-HSM',
    keySize: 2048,
    keyOps: ['wrapKey', 'unwrapKey'],
    exportable: false,
    recoveryLevel: 'CustomizedRecoverable+Purgeable',
    publicFingerprint: 'f'.repeat(64),
    ...overrides,
  };
}

export function createFakeWorld(keys: Record<string, FakeKey> = {}): FakeWorld {
  const fakeKeys = new Map(Object.entries(keys));
  const now = { value: new Date('2030-01-01T00:00:00.000Z') };
  const calls: string[] = [];
  const onRotate: FakeWorld['onRotate'] = {};
  const onWrite: FakeWorld['onWrite'] = {};
  const onEnable: FakeWorld['onEnable'] = {};
  const journalled: JournalEntry[] = [];
  const published: LifecycleEvent[] = [];
  const mailed: Mail[] = [];
  const stored: FakeWorld['stored'] = new Map();

  const found = (key: KeyRef): FakeKey => {
    const each = fakeKeys.get(key.name);
    if (each) return each;
    throw new AppError('ERR_NOT_FOUND', `no key ${key.name}`, { nextStep: 'Look at the name.' });
  };
  const hsmKeys: HsmKeys = {
    async *pages() {
      calls.push('pages');
      const all = [...fakeKeys.values()].map(({ versions }) => versions.at(-1) as KeyFacts);
      for (let start = 0; start < all.length; start += 25) yield all.slice(start, start + 25);
    },
    async read(key, version) {
      calls.push('read');
      const { versions } = found(key);
      const match = version === undefined ? versions.at(-1) : versions.find((each) => each.version === version);
      if (!match) throw new AppError('ERR_NOT_FOUND', `no version ${version}`, { nextStep: 'Look at the version.' });
      return structuredClone(match);
    },
    async versions(key): Promise<KeyVersionSummary[]> {
      calls.push('versions');
      return found(key).versions.map(({ version, enabled, createdOn }) => ({ version, enabled, createdOn }));
    },
    async readRotationPolicy(key) {
      calls.push('readRotationPolicy');
      return found(key).policy;
    },
    async writeRotationPolicy(key, policy) {
      calls.push('writeRotationPolicy');
      found(key).policy = policy;
    },
    async writeTags(key, version, tags) {
      calls.push('writeTags');
      const match = found(key).versions.find((each) => each.version === version);
      if (match) match.tags = tags;
    },
    async setEnabled(key, version, enabled) {
      calls.push(enabled ? 'enable' : 'disable');
      onEnable.before?.();
      const match = found(key).versions.find((each) => each.version === version);
      if (match) match.enabled = enabled;
      onEnable.after?.();
    },
    async rotate(key) {
      calls.push('rotate');
      onRotate.before?.(key);
      const held = found(key);
      const next = {
        ...(held.versions.at(-1) as KeyFacts),
        version: aVersion(),
        createdOn: now.value.toISOString(),
        updatedOn: now.value.toISOString(),
        expiresOn: new Date(now.value.getTime() + 365 * 86_400_000).toISOString(),
        publicFingerprint: randomBytes(32).toString('hex'),
      };
      held.versions.push(next);
      onRotate.after?.(key);
      return structuredClone(next);
    },
    async backUp() {
      calls.push('backUp');
      return new Uint8Array([1, 2, 3]);
    },
  };

  return {
    fakeKeys,
    now,
    calls,
    onRotate,
    onWrite,
    onEnable,
    journalled,
    published,
    mailed,
    stored,
    installation: 'test',
    fallbackRecipients: ['security@contoso.example'],
    hsms: [
      {
        name: 'contoso',
        uri: 'https://contoso.managedhsm.azure.net',
        resourceId: '/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/managedHSMs/contoso',
        settleSeconds: 30,
      },
    ],
    identities: {
      observe: { duty: 'observe', clientId: 'observe-client' },
      rotate: { duty: 'rotate', clientId: 'rotate-client' },
    },
    keys: { observe: hsmKeys, rotate: hsmKeys },
    crypto: fakeCrypto(),
    certificates: createCertificates(),
    documents: fakeDocuments(stored, onWrite),
    journal: {
      append: async (entry) => void journalled.push(entry),
      async *lines() {
        let previous = GENESIS;
        for (const entry of journalled) {
          const { line, hash } = chainLine(previous, entry, (text) => createHash('sha256').update(text).digest('hex'));
          previous = hash;
          yield { blob: 'b', line };
        }
      },
    },
    events: { publish: async (events) => void published.push(...events) },
    mailer: {
      async send(mail) {
        mailed.push(mail);
        return { accepted: mail.to, refused: [] };
      },
    },
    webhooks: { names: [], call: async () => undefined },
    slots: { reserve: async (_hsm, _holder, at) => ({ at: at.toISOString() }) },
    clock: { now: () => new Date(now.value) },
    heartbeats: { schedules: { sweep: '0 */15 * * * *' }, schedule: '0 3-59/10 * * * *', graceMinutes: 45 },
    alerts: { callers: ['action-groups'], rules: [{ rule: 'mhsm-rule' }] },
    settleMs: () => 30_000,
  };
}

function fakeDocuments(stored: FakeWorld['stored'], onWrite: FakeWorld['onWrite']): Documents {
  let etags = 0;
  const write = (path: string, value: unknown) => {
    onWrite.before?.(path);
    const etag = ++etags;
    stored.set(path, { text: typeof value === 'string' ? value : JSON.stringify(value), etag });
    return { etag: String(etag) };
  };
  const at = (container: string, path: string) => `${container}/${path}`;
  return {
    async read<T>(container: string, path: string): Promise<Stored<T> | undefined> {
      const found = stored.get(at(container, path));
      return found && { value: JSON.parse(found.text) as T, etag: String(found.etag) };
    },
    async readText(container, path) {
      const found = stored.get(at(container, path));
      return found && { value: found.text, etag: String(found.etag) };
    },
    async create(container, path, value) {
      return stored.has(at(container, path)) ? 'exists' : write(at(container, path), value);
    },
    async replace(container, path, value, etag) {
      return String(stored.get(at(container, path))?.etag) === etag ? write(at(container, path), value) : 'changed';
    },
    async put(container, path, value) {
      write(at(container, path), value);
    },
    async keep(container, path) {
      if (stored.has(at(container, path))) return 'exists';
      write(at(container, path), 'bytes');
      return 'kept';
    },
    async remove(container, path) {
      stored.delete(at(container, path));
    },
    async *list(container, prefix) {
      for (const path of stored.keys()) {
        if (path.startsWith(at(container, prefix))) yield path.slice(container.length + 1);
      }
    },
  };
}

/** Wrapping is XOR with the version, so that only the same version opens; signatures are a digest of both. */
function fakeCrypto(): World['crypto'] {
  const mix = (version: string, data: Uint8Array) => {
    const key = createHash('sha256').update(version).digest();
    return data.map((byte, index) => byte ^ (key[index % key.length] as number));
  };
  const signature = (version: string, digest: Uint8Array) =>
    createHash('sha256').update(version).update(digest).digest();
  return {
    wrap: async (_key, version, _algorithm, secret) => mix(version, secret),
    unwrap: async (_key, version, _algorithm, wrapped) => mix(version, wrapped),
    encrypt: async (_key, version, _algorithm, plaintext) => ({ value: mix(version, plaintext) }),
    decrypt: async (_key, version, _algorithm, { value }) => mix(version, value),
    sign: async (_key, version, _algorithm, digest) => signature(version, digest),
    verify: async (_key, version, _algorithm, digest, signed) => signature(version, digest).equals(signed),
    randomBytes: (count) => randomBytes(count),
    digest: (algorithm, data) => createHash(algorithm.replace('-', '')).update(data).digest(),
  };
}
