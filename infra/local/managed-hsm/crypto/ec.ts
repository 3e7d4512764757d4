import { createECDH, randomBytes } from 'node:crypto';
import { badParameter } from '../errors.ts';
import { type Curve, curveOf, type Material } from '../material.ts';
import { checkDigest } from './digest.ts';

/** Short Weierstrass curves (SEC 2, FIPS 186-5). */
interface CurveParameters {
  openssl: string;
  bytes: number;
  p: bigint;
  a: bigint;
  n: bigint;
  g: Point;
}

interface Point {
  x: bigint;
  y: bigint;
}

/** Jacobian coordinates: x = X/Z², y = Y/Z³; Z = 0 is the point at infinity. */
interface Projective {
  X: bigint;
  Y: bigint;
  Z: bigint;
}

const P256 = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const P384 = 2n ** 384n - 2n ** 128n - 2n ** 96n + 2n ** 32n - 1n;
const P521 = 2n ** 521n - 1n;

const CURVES: Record<Curve, CurveParameters> = {
  'P-256': {
    openssl: 'prime256v1',
    bytes: 32,
    p: P256,
    a: P256 - 3n,
    n: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
    g: generator('prime256v1', 32),
  },
  'P-256K': {
    openssl: 'secp256k1',
    bytes: 32,
    p: 2n ** 256n - 2n ** 32n - 977n,
    a: 0n,
    n: 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n,
    g: generator('secp256k1', 32),
  },
  'P-384': {
    openssl: 'secp384r1',
    bytes: 48,
    p: P384,
    a: P384 - 3n,
    n: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
    g: generator('secp384r1', 48),
  },
  'P-521': {
    openssl: 'secp521r1',
    bytes: 66,
    p: P521,
    a: P521 - 3n,
    n: 0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
    g: generator('secp521r1', 66),
  },
};

const ALGORITHMS: Record<string, Curve> = { ES256: 'P-256', ES256K: 'P-256K', ES384: 'P-384', ES512: 'P-521' };

export const EC_SIGNATURE = Object.keys(ALGORITHMS);

/** ECDSA over a digest: Node's own signing would hash it again. Answers r and s side by side, as JWS does. */
export function ecSign(material: Material, algorithm: string, digest: Buffer): Buffer {
  const curve = curveFor(material, algorithm, digest);
  const { n, bytes } = curve;
  const d = toBigInt(Buffer.from(material.jwk.d ?? '', 'base64url'));
  const z = truncate(digest, n);
  for (;;) {
    const k = randomScalar(curve);
    const ecdh = createECDH(curve.openssl);
    ecdh.setPrivateKey(toBytes(k, bytes));
    const r = toBigInt(ecdh.getPublicKey().subarray(1, 1 + bytes)) % n;
    const s = mod(invert(k, n) * (z + r * d), n);
    if (r !== 0n && s !== 0n) return Buffer.concat([toBytes(r, bytes), toBytes(s, bytes)]);
  }
}

export function ecVerify(material: Material, algorithm: string, digest: Buffer, signature: Buffer): boolean {
  const curve = curveFor(material, algorithm, digest);
  const { n, bytes, g } = curve;
  if (signature.length !== 2 * bytes) return false;
  const r = toBigInt(signature.subarray(0, bytes));
  const s = toBigInt(signature.subarray(bytes));
  if (r === 0n || s === 0n || r >= n || s >= n) return false;
  const w = invert(s, n);
  const q = {
    x: toBigInt(Buffer.from(material.jwk.x ?? '', 'base64url')),
    y: toBigInt(Buffer.from(material.jwk.y ?? '', 'base64url')),
  };
  const x = sumX(curve, mod(truncate(digest, n) * w, n), g, mod(r * w, n), q);
  return x !== undefined && x % n === r;
}

function curveFor(material: Material, algorithm: string, digest: Buffer): CurveParameters {
  const name = ALGORITHMS[algorithm];
  if (name === undefined) throw badParameter(`Algorithm '${algorithm}' is not supported for EC-HSM keys.`);
  if (name !== curveOf(material)) throw badParameter(`${algorithm} needs a key on curve ${name}.`);
  checkDigest(algorithm, digest);
  return CURVES[name];
}

/** x of u·P + v·Q, both scalars read together (Shamir's trick); undefined at infinity. */
function sumX(curve: CurveParameters, u: bigint, p: Point, v: bigint, q: Point): bigint | undefined {
  const P = { X: p.x, Y: p.y, Z: 1n };
  const Q = { X: q.x, Y: q.y, Z: 1n };
  const both = add(curve, P, Q);
  let sum: Projective = { X: 1n, Y: 1n, Z: 0n };
  for (let bit = BigInt(curve.bytes * 8 - 1); bit >= 0n; bit--) {
    sum = double(curve, sum);
    const inU = (u >> bit) & 1n;
    const inV = (v >> bit) & 1n;
    if (inU && inV) sum = add(curve, sum, both);
    else if (inU) sum = add(curve, sum, P);
    else if (inV) sum = add(curve, sum, Q);
  }
  if (sum.Z === 0n) return undefined;
  const inverse = invert(sum.Z, curve.p);
  return mod(sum.X * inverse * inverse, curve.p);
}

function double({ p, a }: CurveParameters, { X, Y, Z }: Projective): Projective {
  if (Z === 0n || Y === 0n) return { X: 1n, Y: 1n, Z: 0n };
  const yy = mod(Y * Y, p);
  const s = mod(4n * X * yy, p);
  const zz = mod(Z * Z, p);
  const m = mod(3n * X * X + a * zz * zz, p);
  const x = mod(m * m - 2n * s, p);
  return { X: x, Y: mod(m * (s - x) - 8n * yy * yy, p), Z: mod(2n * Y * Z, p) };
}

function add(curve: CurveParameters, A: Projective, B: Projective): Projective {
  if (A.Z === 0n) return B;
  if (B.Z === 0n) return A;
  const { p } = curve;
  const az = mod(A.Z * A.Z, p);
  const bz = mod(B.Z * B.Z, p);
  const u1 = mod(A.X * bz, p);
  const s1 = mod(A.Y * bz * B.Z, p);
  const h = mod(B.X * az - u1, p);
  const r = mod(B.Y * az * A.Z - s1, p);
  if (h === 0n) return r === 0n ? double(curve, A) : { X: 1n, Y: 1n, Z: 0n };
  const hh = mod(h * h, p);
  const hhh = mod(h * hh, p);
  const v = mod(u1 * hh, p);
  const x = mod(r * r - hhh - 2n * v, p);
  return { X: x, Y: mod(r * (v - x) - s1 * hhh, p), Z: mod(A.Z * B.Z * h, p) };
}

/** Extended Euclid; `value` is not zero and the modulus is prime. */
function invert(value: bigint, modulus: bigint): bigint {
  let [a, b] = [mod(value, modulus), modulus];
  let [x, y] = [1n, 0n];
  while (b !== 0n) {
    const quotient = a / b;
    [a, b] = [b, a - quotient * b];
    [x, y] = [y, x - quotient * y];
  }
  return mod(x, modulus);
}

const mod = (value: bigint, modulus: bigint): bigint => {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
};

/** The leftmost bits of a digest that fit the order (FIPS 186-5, 6.4.1). */
function truncate(digest: Buffer, n: bigint): bigint {
  const excess = digest.length * 8 - n.toString(2).length;
  return excess > 0 ? toBigInt(digest) >> BigInt(excess) : toBigInt(digest);
}

/** Eight extra bytes make the bias of the reduction negligible (FIPS 186-5, A.2.1). */
const randomScalar = ({ n, bytes }: CurveParameters): bigint => (toBigInt(randomBytes(bytes + 8)) % (n - 1n)) + 1n;

/** The base point: the public key that belongs to the private key 1. */
function generator(openssl: string, bytes: number): Point {
  const ecdh = createECDH(openssl);
  ecdh.setPrivateKey(toBytes(1n, bytes));
  const point = ecdh.getPublicKey();
  return { x: toBigInt(point.subarray(1, 1 + bytes)), y: toBigInt(point.subarray(1 + bytes)) };
}

function toBigInt(bytes: Buffer): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toString('hex')}`);
}

function toBytes(value: bigint, length: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * length, '0'), 'hex');
}
