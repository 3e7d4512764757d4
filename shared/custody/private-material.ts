/**
 * Recognises private key material, and the security-domain file itself, in a text that claims to be public: the first line
 * of defence at the boundary, before anything is parsed, logged or stored. It may refuse too much; it must not let through.
 */
export type Secret = 'PrivateKey' | 'KeyStore' | 'SymmetricKey' | 'SecurityDomain';

const NAMED: readonly [RegExp, Secret][] = [
  [/PRIVATE\s+KEY/i, 'PrivateKey'],
  [/PRIVATEKEY--/i, 'PrivateKey'],
  [/PuTTY-User-Key-File/i, 'PrivateKey'],
  // `openssh-key-v1` in base64, with which such a key begins.
  [/b3BlbnNzaC1rZXktdjE/, 'PrivateKey'],
  [/<RSAKeyValue>[\s\S]*<D>/i, 'PrivateKey'],
  // PGP names its blocks otherwise.
  [/BEGIN PGP (PRIVATE|SECRET)/i, 'PrivateKey'],
  // A private JWK has `d` or the primes, a symmetric one has `k`; the names may be quoted either way.
  [/["'](?:d|p|q|dp|dq|qi)["']\s*:\s*["'][A-Za-z0-9_+/=-]{16,}/, 'PrivateKey'],
  [/["']k["']\s*:\s*["'][A-Za-z0-9_+/=-]{16,}/, 'SymmetricKey'],
  [/["'](?:EncData|SharedKeys|enc_data|shared_keys|key_shares|xor_keys)["']\s*:/i, 'SecurityDomain'],
];

/** What kind of secret a text holds; undefined when none is recognised. Never throws. */
export function privateMaterialIn(text: string): Secret | undefined {
  // Blanks, line ends (escaped ones too), quotes and invisible characters may part what belongs together.
  const compact = text.replace(/\\[rnt]|[\s"',:\u200b-\u200f\u2060\ufeff\0]+/g, '');
  return named(text) ?? named(compact) ?? secretOf(text) ?? inBase64(compact) ?? inHex(compact);
}

const named = (text: string): Secret | undefined => NAMED.find(([pattern]) => pattern.test(text))?.[1];

/** A DER sequence begins with the byte 0x30, which base64 writes as M followed by A to P. */
function inBase64(compact: string): Secret | undefined {
  for (const { index } of compact.matchAll(/M[A-P]/g)) {
    const secret = secretOf(decodeBase64(compact.slice(index, index + HEADER_LENGTH)));
    if (secret !== undefined) return secret;
  }
  for (const { index } of compact.matchAll(/LS0tLS1CRUdJTi/g)) {
    const secret = named(decodeBase64(compact.slice(index, index + HEADER_LENGTH)));
    if (secret !== undefined) return secret;
  }
  return undefined;
}

/** Enough of an encoded structure to tell what it is. */
const HEADER_LENGTH = 120;

/** The run of base64 characters at the start, as a binary string. */
function decodeBase64(text: string): string {
  const run = /^[A-Za-z0-9+/_-]*/.exec(text)?.[0] ?? '';
  const standard = run.replace(/-/g, '+').replace(/_/g, '/');
  return atob(standard.slice(0, standard.length - (standard.length % 4)));
}

function inHex(compact: string): Secret | undefined {
  for (const [run] of compact.matchAll(/(?:[0-9a-f]{2}){32,}/gi)) {
    const bytes = run.slice(0, 2 * HEADER_LENGTH).match(/../g) ?? [];
    const secret = secretOf(String.fromCharCode(...bytes.map((byte) => Number.parseInt(byte, 16))));
    if (secret !== undefined) return secret;
  }
  return undefined;
}

function secretOf(bytes: string): Secret | undefined {
  const outer = readTlv(bytes, 0);
  // The shortest private key, of Ed25519, takes 46 bytes.
  if (outer?.tag !== SEQUENCE || outer.length < 40) return undefined;
  const first = readTlv(bytes, outer.content);
  if (first === undefined) return undefined;
  // PKCS#1, SEC1 and PKCS#8 keys begin with a version of 0 to 2, PKCS#12 stores with 3; certificates with a sequence. The
  // modulus of a public RSA key is an integer too, and a long one.
  if (first.tag === INTEGER && first.length === 1) {
    const version = bytes.charCodeAt(first.content);
    return version === 3 ? 'KeyStore' : version <= 2 ? 'PrivateKey' : undefined;
  }
  if (first.tag !== SEQUENCE) return undefined;
  const algorithm = readTlv(bytes, first.content);
  if (algorithm?.tag !== OBJECT_ID) return undefined;
  const oid = bytes.slice(algorithm.content, algorithm.content + algorithm.length);
  return ENCRYPTION_OIDS.some((prefix) => oid.startsWith(prefix)) ? 'PrivateKey' : undefined;
}

const INTEGER = 0x02;
const OBJECT_ID = 0x06;
const SEQUENCE = 0x30;
/** 1.2.840.113549.1.5 (PKCS#5) and 1.2.840.113549.1.12.1 (PKCS#12): password-based encryption of a PKCS#8 key. */
const ENCRYPTION_OIDS = ['\x2a\x86\x48\x86\xf7\x0d\x01\x05', '\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01'];

/** Tag and length of one DER element, in its short, long and indefinite forms; undefined beyond the end. */
function readTlv(bytes: string, at: number): { tag: number; content: number; length: number } | undefined {
  if (at + 2 > bytes.length) return undefined;
  const tag = bytes.charCodeAt(at);
  const short = bytes.charCodeAt(at + 1);
  if (short < 0x80) return { tag, content: at + 2, length: short };
  const size = short & 0x7f;
  if (size > 4 || at + 2 + size > bytes.length) return undefined;
  let length = 0;
  for (let index = 0; index < size; index += 1) length = length * 256 + bytes.charCodeAt(at + 2 + index);
  return { tag, content: at + 2 + size, length };
}
