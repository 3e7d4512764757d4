import { createBody, importBody, parseBody, updateBody } from '../bodies.ts';
import { notImplemented } from '../errors.ts';
import type { KeyStore } from '../keys.ts';
import type { Readings } from '../readings.ts';
import { deletedKeyBundle, keyItem, type Vault } from '../wire.ts';
import { answerKey, answerNewVersion, answerPage, nameIn } from './key-answers.ts';
import { atKey, atKeys, type Call, ok, type Reply, type Route } from './route.ts';

const READ = 'keys/read/action';
const WRITE = 'keys/write/action';

/** Life of active keys. Source of paths and statuses: REST description 2025-07-01, keys.json. */
export function keyRoutes({ vault, keys, readings }: { vault: Vault; keys: KeyStore; readings: Readings }): Route[] {
  const versionsInOrder = (key: string) => {
    const versions = keys.versions(key);
    if (readings.versionOrder === 'byCreation') return versions.map((version, at) => ({ version, at: rank(at) }));
    return versions.map((version) => ({ version, at: version.version })).sort((a, b) => (a.at < b.at ? -1 : 1));
  };
  const get = (call: Call): Reply => {
    const found = keys.get(nameIn(call), call.params.version);
    const lagging = call.effect === 'staleRead' && call.params.version === undefined;
    const previous = lagging ? found.key.versions.at(-2) : undefined;
    return answerKey(vault, call, { ...found, ...(previous ? { version: previous } : {}) });
  };
  const update = (call: Call): Reply =>
    answerKey(vault, call, keys.update(nameIn(call), call.params.version, parseBody(updateBody, call.body())));
  const notEmulated = (what: string) => (): Reply => {
    throw notImplemented(what);
  };

  return [
    {
      method: 'POST',
      path: '/keys/:name/create',
      operation: 'KeyCreate',
      dataAction: 'keys/create',
      scope: atKey,
      rate: 'create',
      handle: async (call) =>
        answerNewVersion(vault, call, await keys.create(nameIn(call), parseBody(createBody, call.body()))),
    },
    {
      method: 'POST',
      path: '/keys/:name/rotate',
      operation: 'KeyRotate',
      dataAction: 'keys/rotate/action',
      scope: atKey,
      rate: 'create',
      handle: async (call) => answerNewVersion(vault, call, await keys.rotate(nameIn(call))),
    },
    {
      method: 'GET',
      path: '/keys/:name/versions',
      operation: 'KeyListVersions',
      dataAction: READ,
      scope: atKey,
      handle(call) {
        const { key } = keys.get(nameIn(call));
        return answerPage(
          vault,
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
        answerPage(
          vault,
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
      handle: (call) => answerNewVersion(vault, call, keys.importKey(nameIn(call), parseBody(importBody, call.body()))),
    },
    {
      method: 'DELETE',
      path: '/keys/:name',
      operation: 'KeyDelete',
      dataAction: 'keys/delete',
      scope: atKey,
      rate: 'delete',
      handle: (call) => ok(deletedKeyBundle(vault, keys.remove(nameIn(call)))),
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
      dataAction: WRITE,
      scope: atKey,
      handle: update,
    },
    {
      method: 'PATCH',
      path: '/keys/:name/:version',
      operation: 'KeyUpdate',
      dataAction: WRITE,
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
  ];
}

/** Sorts as text in the order of the numbers. */
const rank = (at: number) => String(at).padStart(4, '0');
