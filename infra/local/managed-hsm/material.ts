import {
  createPrivateKey,
  createSecretKey,
  generateKeyPair as generateKeyPairCallback,
  type JsonWebKey,
  type KeyObject,
  randomBytes,
  randomUUID,
} from 'node:crypto';
import { promisify } from 'node:util';
import type { ImportBody } from './bodies.ts';
import { badParameter } from './errors.ts';

const generateKeyPair = promisify(generateKeyPairCallback);

export type KeyType = 'RSA-HSM' | 'EC-HSM' | 'oct-HSM';
export type Curve = 'P-256' | 'P-256K' | 'P-384' | 'P-521';

/** The secret part of a key version. Several seeded versions may share one; the id lets a saved estate keep it once. */
export interface Material {
  id: string;
  kty: KeyType;
  /** With its private members, in Node's spelling of curves. */
  jwk: JsonWebKey;
  secret: KeyObject;
}

/** What a version is made of: RSA modulus or AES key length in bits, or the curve. */
export interface MaterialSpec {
  kty: KeyType;
  size?: number;
  crv?: Curve;
}

/** Source: managed-hsm/about-keys. */
const SIZES = { 'RSA-HSM': [2048, 3072, 4096], 'oct-HSM': [128, 192, 256] } as const;
const NODE_CURVES: Record<Curve, string> = {
  'P-256': 'P-256',
  'P-256K': 'secp256k1',
  'P-384': 'P-384',
  'P-521': 'P-521',
};

/** Software types are taken as their HSM form: recorded for RSA ("Creating kty RSA gives RSA-HSM"). */
export function keyType(kty: unknown): KeyType {
  const type = `${String(kty).replace(/-HSM$/, '')}-HSM`;
  if (type === 'RSA-HSM' || type === 'EC-HSM' || type === 'oct-HSM') return type;
  throw badParameter(`Key type '${String(kty)}' is not supported.`);
}

export function curve(crv: unknown): Curve {
  if (typeof crv === 'string' && crv in NODE_CURVES) return crv as Curve;
  throw badParameter(`Curve '${String(crv)}' is not supported.`);
}

/** Default sizes: RSA 2048 recorded; oct 256 is our choice, not found. */
export function materialSpec(kty: KeyType, size: number | undefined, crv: string | undefined): MaterialSpec {
  if (kty === 'EC-HSM') return { kty, crv: curve(crv ?? 'P-256') };
  const bits = size ?? (kty === 'RSA-HSM' ? 2048 : 256);
  if (!(SIZES[kty] as readonly number[]).includes(bits)) {
    throw badParameter(`Key size ${bits} is not supported for ${kty}: use one of ${SIZES[kty].join(', ')}.`);
  }
  return { kty, size: bits };
}

export const specOf = (material: Material): MaterialSpec =>
  material.kty === 'EC-HSM'
    ? { kty: material.kty, crv: curveOf(material) }
    : { kty: material.kty, size: sizeOf(material) };

/** Generates in the thread pool: RSA takes hundreds of milliseconds and must not hold up the other calls. */
export async function generateMaterial({ kty, size, crv }: MaterialSpec): Promise<Material> {
  if (kty === 'oct-HSM') return fromJwk(kty, { kty: 'oct', k: randomBytes((size ?? 256) / 8).toString('base64url') });
  const { privateKey } =
    kty === 'RSA-HSM'
      ? await generateKeyPair('rsa', { modulusLength: size ?? 2048, publicExponent: 65537 })
      : await generateKeyPair('ec', { namedCurve: nodeCurve(crv ?? 'P-256') });
  return fromJwk(kty, privateKey.export({ format: 'jwk' }));
}

/** `jwk` with its private members, in Node's spelling of curves. Throws 400 when it is not a whole private key. */
export function fromJwk(kty: KeyType, jwk: JsonWebKey, id: string = randomUUID()): Material {
  try {
    const secret =
      kty === 'oct-HSM'
        ? createSecretKey(Buffer.from(jwk.k ?? '', 'base64url'))
        : createPrivateKey({ key: jwk, format: 'jwk' });
    // Exported again, which drops the leading zero bytes that a client may have sent (recorded: the answer has none).
    return { id, kty, jwk: secret.export({ format: 'jwk' }), secret };
  } catch (error) {
    throw badParameter(`The key material is not a valid private ${kty} key: ${(error as Error).message}`);
  }
}

/** A JWK as a client sends it for import, checked like a created key. */
export function importMaterial(key: ImportBody['key']): Material {
  if (key.key_hsm !== undefined) {
    throw badParameter(
      'key_hsm (bring your own key) is not part of the embedded estate: import a JSON web key instead.',
    );
  }
  const kty = keyType(key.kty);
  const jwk: JsonWebKey = { kty: kty.replace(/-HSM$/, '') };
  for (const member of ['n', 'e', 'd', 'p', 'q', 'dp', 'dq', 'qi', 'x', 'y', 'k'] as const) {
    const value = key[member];
    if (value !== undefined) jwk[member] = value;
  }
  if (kty === 'EC-HSM') jwk.crv = NODE_CURVES[curve(key.crv)];
  const material = fromJwk(kty, jwk);
  if (kty !== 'EC-HSM') materialSpec(kty, sizeOf(material), undefined);
  return material;
}

/** The public members, in the service's spelling and alphabetical order; none for a symmetric key. */
export function publicMembers({ kty, jwk }: Material): {
  before: Record<string, string>;
  after: Record<string, string>;
} {
  if (kty === 'RSA-HSM') return { before: { e: jwk.e ?? '' }, after: { n: jwk.n ?? '' } };
  if (kty === 'oct-HSM') return { before: {}, after: {} };
  return { before: { crv: wireCurve(jwk.crv) }, after: { x: jwk.x ?? '', y: jwk.y ?? '' } };
}

export const curveOf = (material: Material): Curve => wireCurve(material.jwk.crv);

export const nodeCurve = (crv: Curve): string => NODE_CURVES[crv];

const wireCurve = (crv: string | undefined): Curve => (crv === 'secp256k1' ? 'P-256K' : curve(crv));

/** RSA modulus or AES key length in bits. */
export const sizeOf = ({ kty, jwk, secret }: Material): number =>
  kty === 'RSA-HSM'
    ? (secret.asymmetricKeyDetails?.modulusLength ?? Buffer.from(jwk.n ?? '', 'base64url').length * 8)
    : (secret.symmetricKeySize ?? 0) * 8;
