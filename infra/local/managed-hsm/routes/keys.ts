import { randomBytes } from 'node:crypto';
import { type SecurityDomain, seal, unseal } from '../backup-blob.ts';
import { badParameter, HsmError, notImplemented } from '../errors.ts';
import type { KeyStore } from '../keys.ts';
import { MAX_RANDOM_BYTES } from '../limits.ts';
import { type Key, type KeyVersion, newest } from '../model.ts';
import { page } from '../paging.ts';
import { loadKeys, type SavedKeys, saveKeys } from '../persistence.ts';
import type { Readings } from '../readings.ts';
import type { RotationPolicyBody } from '../rotation-policy.ts';
import { bytes } from '../validation.ts';
import { deletedKeyBundle, deletedKeyItem, keyBundle, keyItem, rotationPolicyBody, type Vault } from '../wire.ts';
import { atHsm, atKey, atKeys, type Call, ok, type Reply, type Route } from './route.ts';

const READ = 'keys/read/action';
const DELETED = 'keys/deletedKeys/';

/** Life of keys. Source of paths and statuses: REST description 2025-07-01, keys.json. */
export function keyRoutes(options: {
  vault: Vault;
  keys: KeyStore;
  readings: Readings;
  securityDomain(): SecurityDomain;
}): Route[] {
  const { vault, keys, readings } = options;

  /** Answers with a version, and names it in the audit row. */
  const answer = (call: Call, key: Key, version: KeyVersion = newest(key)): Reply => {
    call.audit.version = version.version;
    const bundle = keyBundle(vault, key, version);
    if (call.effect === 'incompleteAnswer') {
      const { kid, kty, key_ops } = bundle.key as Record<string, unknown>;
      bundle.key = { key_ops, kid, kty };
    }
    return ok(bundle);
  };
  /** `corruptVersion`: the answer is whole, and what was kept is not, as after a write that half succeeded. */
  const answerNew = (call: Call, key: Key): Reply => {
    const reply = answer(call, key);
    if (call.effect === 'corruptVersion') {
      const version = newest(key);
      version.keyOps = [];
      delete version.exp;
    }
    return reply;
  };
  const name = ({ params }: Call) => params.name ?? '';
  const list = <T>(call: Call, items: readonly T[], keyOf: (item: T) => string, show: (item: T) => unknown): Reply => {
    const { items: given, nextLink } = page(items, keyOf, call.request.url, vault.uri);
    return ok({ ...(nextLink ? { nextLink } : {}), value: given.map(show) });
  };
  const versionsInOrder = (key: string) => {
    const versions = keys.versions(key);
    if (readings.versionOrder === 'byCreation') return versions.map((version, at) => ({ version, at: rank(at) }));
    return versions.map((version) => ({ version, at: version.version })).sort((a, b) => (a.at < b.at ? -1 : 1));
  };
  const get = (call: Call): Reply => {
    const found = keys.get(name(call), call.params.version);
    const stale = call.effect === 'staleRead' && call.params.version === undefined && found.key.versions.at(-2);
    return answer(call, found.key, stale || found.version);
  };
  const update = (call: Call): Reply => {
    const { key, version } = keys.update(name(call), call.params.version, call.body());
    return answer(call, key, version);
  };
  const notEmulated = (what: string) => (): Reply => {
    throw notImplemented(what);
  };

  return [
    {
      method: 'POST',
      path: '/keys/restore',
      operation: 'KeyRestore',
      dataAction: 'keys/restore/action',
      scope: atKeys,
      rate: 'restore',
      handle(call) {
        const saved = unseal(options.securityDomain(), bytes(call.body(), 'value')) as SavedKeys;
        const [key] = loadKeys(saved).keys;
        if (!key) throw badParameter('The key backup is damaged.');
        call.audit.key = key.name;
        keys.insert(key);
        return answer(call, key);
      },
    },
    {
      method: 'POST',
      path: '/keys/:name/create',
      operation: 'KeyCreate',
      dataAction: 'keys/create',
      scope: atKey,
      rate: 'create',
      handle: async (call) => answerNew(call, await keys.create(name(call), call.body())),
    },
    {
      method: 'POST',
      path: '/keys/:name/rotate',
      operation: 'KeyRotate',
      dataAction: 'keys/rotate/action',
      scope: atKey,
      rate: 'create',
      handle: async (call) => answerNew(call, await keys.rotate(name(call))),
    },
    {
      method: 'POST',
      path: '/keys/:name/backup',
      operation: 'KeyBackup',
      dataAction: 'keys/backup/action',
      scope: atKey,
      rate: 'backup',
      handle(call) {
        const { key } = keys.get(name(call));
        return ok({ value: seal(options.securityDomain(), saveKeys([key], [])).toString('base64url') });
      },
    },
    {
      method: 'GET',
      path: '/keys/:name/rotationpolicy',
      operation: 'KeyRotationPolicyGet',
      dataAction: READ,
      scope: atKey,
      handle(call) {
        const policy = keys.rotationPolicy(name(call));
        if (!policy && readings.missingPolicy === 'notFound') {
          throw new HsmError(404, 'KeyRotationPolicyNotFound', 'The key has no rotation policy');
        }
        return ok(rotationPolicyBody(vault, name(call), policy));
      },
    },
    {
      method: 'PUT',
      path: '/keys/:name/rotationpolicy',
      operation: 'KeyRotationPolicySet',
      dataAction: 'keys/write/action',
      scope: atKey,
      handle: (call) =>
        ok(
          rotationPolicyBody(vault, name(call), keys.setRotationPolicy(name(call), call.body() as RotationPolicyBody)),
        ),
    },
    {
      method: 'GET',
      path: '/keys/:name/versions',
      operation: 'KeyListVersions',
      dataAction: READ,
      scope: atKey,
      handle(call) {
        const { key } = keys.get(name(call));
        return list(
          call,
          versionsInOrder(key.name),
          ({ at }) => at,
          ({ version }) => keyItem(vault, key, version),
        );
      },
    },
    {
      method: 'GET',
      path: '/keys',
      operation: 'KeyList',
      dataAction: READ,
      scope: atKeys,
      handle: (call) =>
        list(
          call,
          keys.list(),
          (key) => key.name,
          (key) => keyItem(vault, key),
        ),
    },
    {
      method: 'PUT',
      path: '/keys/:name',
      operation: 'KeyImport',
      dataAction: 'keys/import/action',
      scope: atKey,
      rate: 'create',
      handle: (call) => answerNew(call, keys.importKey(name(call), call.body())),
    },
    {
      method: 'DELETE',
      path: '/keys/:name',
      operation: 'KeyDelete',
      dataAction: 'keys/delete',
      scope: atKey,
      rate: 'delete',
      handle: (call) => ok(deletedKeyBundle(vault, keys.remove(name(call)))),
    },
    {
      method: 'GET',
      path: '/keys/:name',
      operation: 'KeyGet',
      dataAction: READ,
      scope: atKey,
      rate: 'get',
      handle: get,
    },
    {
      method: 'GET',
      path: '/keys/:name/:version',
      operation: 'KeyGet',
      dataAction: READ,
      scope: atKey,
      rate: 'get',
      handle: get,
    },
    {
      method: 'PATCH',
      path: '/keys/:name',
      operation: 'KeyUpdate',
      dataAction: 'keys/write/action',
      scope: atKey,
      handle: update,
    },
    {
      method: 'PATCH',
      path: '/keys/:name/:version',
      operation: 'KeyUpdate',
      dataAction: 'keys/write/action',
      scope: atKey,
      handle: update,
    },
    {
      method: 'GET',
      path: '/keys/:name/:version/attestation',
      operation: 'KeyGetAttestation',
      dataAction: READ,
      scope: atKey,
      handle: notEmulated('Key attestation'),
    },
    {
      method: 'POST',
      path: '/keys/:name/:version/release',
      operation: 'KeyRelease',
      dataAction: 'keys/release/action',
      scope: atKey,
      handle: notEmulated('Key release'),
    },
    {
      method: 'GET',
      path: '/deletedkeys',
      operation: 'KeyListDeleted',
      dataAction: `${DELETED}read/action`,
      scope: atKeys,
      handle: (call) =>
        list(
          call,
          keys.listDeleted(),
          (key) => key.name,
          (key) => deletedKeyItem(vault, key),
        ),
    },
    {
      method: 'GET',
      path: '/deletedkeys/:name',
      operation: 'KeyGetDeleted',
      dataAction: `${DELETED}read/action`,
      scope: atKey,
      handle: (call) => ok(deletedKeyBundle(vault, keys.getDeleted(name(call)))),
    },
    {
      method: 'POST',
      path: '/deletedkeys/:name/recover',
      operation: 'KeyRecover',
      dataAction: `${DELETED}recover/action`,
      scope: atKey,
      handle: (call) => answer(call, keys.recover(name(call))),
    },
    {
      method: 'DELETE',
      path: '/deletedkeys/:name',
      operation: 'KeyPurge',
      dataAction: `${DELETED}delete`,
      scope: atKey,
      rate: 'purge',
      handle(call) {
        keys.purge(name(call));
        return { status: 204 };
      },
    },
    {
      method: 'POST',
      path: '/rng',
      operation: 'RandomBytesGet',
      dataAction: 'rng/action',
      scope: atHsm,
      handle(call) {
        const count = call.body().count;
        if (typeof count !== 'number' || !Number.isInteger(count) || count < 1 || count > MAX_RANDOM_BYTES) {
          throw badParameter(`count must be an integer from 1 to ${MAX_RANDOM_BYTES}.`);
        }
        return ok({ value: randomBytes(count).toString('base64url') });
      },
    },
  ];
}

/** Sorts as text in the order of the numbers. */
const rank = (at: number) => String(at).padStart(4, '0');
