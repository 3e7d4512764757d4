import { type SecurityDomain, seal, unseal } from '../backup-blob.ts';
import { badParameter } from '../errors.ts';
import type { KeyStore } from '../keys.ts';
import { newest } from '../model.ts';
import { loadKeys, type SavedKeys, saveKeys } from '../persistence.ts';
import { bytes } from '../validation.ts';
import type { Vault } from '../wire.ts';
import { answerKey, nameIn } from './key-answers.ts';
import { atKey, atKeys, ok, type Route } from './route.ts';

/** One key with all its versions as an opaque blob that only an HSM of the same security domain restores. */
export function keyBackupRoutes(options: { vault: Vault; keys: KeyStore; securityDomain(): SecurityDomain }): Route[] {
  const { vault, keys } = options;
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
        keys.insert(key);
        return answerKey(vault, call, { key, version: newest(key) });
      },
    },
    {
      method: 'POST',
      path: '/keys/:name/backup',
      operation: 'KeyBackup',
      dataAction: 'keys/backup/action',
      scope: atKey,
      rate: 'backup',
      handle(call) {
        const { key } = keys.get(nameIn(call));
        return ok({ value: seal(options.securityDomain(), saveKeys([key], [])).toString('base64url') });
      },
    },
  ];
}
