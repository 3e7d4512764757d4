/** One element of DER: its tag, its content, and where the next one begins. */
interface Element {
  tag: number;
  content: Buffer;
  end: number;
}

const INTEGER = 0x02;
const OCTET_STRING = 0x04;
const OBJECT_IDENTIFIER = 0x06;
const SEQUENCE = 0x30;

/** 1.2.840.113549.1.7: content types of PKCS#7, which a PKCS#12 file wraps its parts in. */
const PKCS7 = Buffer.from('2a864886f70d0107', 'hex');

/** The length of the element that the bytes begin with; undefined when they hold no whole one. */
export const elementLength = (bytes: Buffer): number | undefined => read(bytes, 0)?.end;

/**
 * Whether one of the elements that the bytes consist of, one after the other, has the form of a private key: PKCS#8 plain or
 * encrypted, PKCS#1, DSA, SEC 1 or PKCS#12.
 */
export function holdsPrivateStructure(bytes: Buffer): boolean {
  for (let element = read(bytes, 0); element; element = read(bytes, element.end)) {
    if (element.tag === SEQUENCE && isPrivate(children(element.content))) return true;
  }
  return false;
}

function isPrivate([first, second, third, ...rest]: Element[]): boolean {
  if (!first || !second) return false;
  // EncryptedPrivateKeyInfo: an algorithm, and bytes. A certificate or its signature has a bit string there.
  if (first.tag === SEQUENCE) return second.tag === OCTET_STRING && third === undefined && startsWithOid(first);
  if (first.tag !== INTEGER || first.content.length !== 1) return false;
  const [version] = first.content;
  switch (second.tag) {
    case SEQUENCE:
      // PrivateKeyInfo of PKCS#8, or PFX of PKCS#12.
      return (
        (startsWithOid(second) && third?.tag === OCTET_STRING) ||
        (version === 3 && (children(second.content)[0]?.content.subarray(0, PKCS7.length).equals(PKCS7) ?? false))
      );
    case OCTET_STRING:
      return version === 1;
    case INTEGER:
      // RSAPrivateKey has nine numbers, a DSA key six; a public key has two, a signature too.
      return third?.tag === INTEGER && rest.length >= 2 && rest.every(({ tag }) => tag === INTEGER);
    default:
      return false;
  }
}

const startsWithOid = ({ content }: Element): boolean => read(content, 0)?.tag === OBJECT_IDENTIFIER;

function children(content: Buffer): Element[] {
  const found: Element[] = [];
  for (let element = read(content, 0); element; element = read(content, element.end)) found.push(element);
  return found;
}

function read(bytes: Buffer, at: number): Element | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first - 0x80;
  // Indefinite lengths, and lengths beyond anything handed in, are not DER that concerns us.
  if (first === 0x80 || lengthBytes > 4 || at + 2 + lengthBytes > bytes.length) return undefined;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const start = at + 2 + lengthBytes;
  const end = start + length;
  return end > bytes.length ? undefined : { tag, content: bytes.subarray(start, end), end };
}
