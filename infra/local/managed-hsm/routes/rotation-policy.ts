import { parseBody, rotationPolicyBody } from '../bodies.ts';
import { HsmError } from '../errors.ts';
import type { KeyStore } from '../keys.ts';
import type { Readings } from '../readings.ts';
import { rotationPolicyAnswer, type Vault } from '../wire.ts';
import { nameIn } from './key-answers.ts';
import { atKey, ok, type Route } from './route.ts';

const READ = 'keys/read/action';

export function rotationPolicyRoutes(options: { vault: Vault; keys: KeyStore; readings: Readings }): Route[] {
  const { vault, keys, readings } = options;
  return [
    {
      method: 'GET',
      path: '/keys/:name/rotationpolicy',
      operation: 'KeyRotationPolicyGet',
      dataAction: READ,
      scope: atKey,
      handle(call) {
        const policy = keys.rotationPolicy(nameIn(call));
        if (!policy && readings.missingPolicy === 'notFound') {
          throw new HsmError(404, 'KeyRotationPolicyNotFound', 'The key has no rotation policy');
        }
        return ok(rotationPolicyAnswer(vault, nameIn(call), policy));
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
          rotationPolicyAnswer(
            vault,
            nameIn(call),
            keys.setRotationPolicy(nameIn(call), parseBody(rotationPolicyBody, call.body())),
          ),
        ),
    },
  ];
}
