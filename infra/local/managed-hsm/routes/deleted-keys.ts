import type { KeyStore } from '../keys.ts';
import { newest } from '../model.ts';
import { deletedKeyBundle, deletedKeyItem, type Vault } from '../wire.ts';
import { answerKey, answerPage, nameIn } from './key-answers.ts';
import { atKey, atKeys, ok, type Route } from './route.ts';

const DELETED = 'keys/deletedKeys/';

export function deletedKeyRoutes({ vault, keys }: { vault: Vault; keys: KeyStore }): Route[] {
  return [
    {
      method: 'GET',
      path: '/deletedkeys',
      operation: 'KeyListDeleted',
      dataAction: `${DELETED}read/action`,
      scope: atKeys,
      handle: (call) =>
        answerPage(
          vault,
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
      handle: (call) => ok(deletedKeyBundle(vault, keys.getDeleted(nameIn(call)))),
    },
    {
      method: 'POST',
      path: '/deletedkeys/:name/recover',
      operation: 'KeyRecover',
      dataAction: `${DELETED}recover/action`,
      scope: atKey,
      handle(call) {
        const key = keys.recover(nameIn(call));
        return answerKey(vault, call, { key, version: newest(key) });
      },
    },
    {
      method: 'DELETE',
      path: '/deletedkeys/:name',
      operation: 'KeyPurge',
      dataAction: `${DELETED}delete`,
      scope: atKey,
      rate: 'purge',
      handle(call) {
        keys.purge(nameIn(call));
        return { status: 204 };
      },
    },
  ];
}
