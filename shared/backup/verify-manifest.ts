import type { ManifestBlob } from './manifest.ts';

/** A blob as a listing or a read shows it; the hash is known only where the bytes were read. */
export interface BlobFact {
  /** Path within the folder. */
  name: string;
  size: number;
  /** Hex. */
  sha256?: string;
}

export interface BlobFault {
  /** `Unread`: nothing speaks against it, but its bytes were not read, so nothing speaks for it either. */
  kind: 'Missing' | 'Truncated' | 'Grown' | 'Tampered' | 'Extra' | 'Unread';
  /** Which of the two lists it was found in. */
  where: 'landing' | 'copy';
  name: string;
  explanation: string;
}

export type Verification =
  | { kind: 'complete'; blobs: number; bytes: number }
  | { kind: 'incomplete'; faults: BlobFault[]; explanation: string; nextStep: string };

/**
 * Compares what landed and what was copied with the blobs of the manifest, name by name. Complete means: each one is in the
 * copy with its size and hash, and nothing else is. The landing side may have been emptied since; then leave it out.
 */
export function verifyBackup(
  expected: readonly ManifestBlob[],
  lists: { copy: readonly BlobFact[]; landing?: readonly BlobFact[] },
): Verification {
  const faults = [
    ...(lists.landing === undefined ? [] : compareBlobs(expected, lists.landing, 'landing')),
    ...compareBlobs(expected, lists.copy, 'copy'),
  ];
  if (expected.length === 0) {
    return {
      kind: 'incomplete',
      faults,
      explanation: 'The folder holds no blob at all, so there is nothing that could be restored.',
      nextStep: 'Take the backup again.',
    };
  }
  if (faults.length === 0) {
    return { kind: 'complete', blobs: expected.length, bytes: expected.reduce((sum, { size }) => sum + size, 0) };
  }
  const bad = new Set(faults.map(({ name }) => name)).size;
  const changed = faults.some(({ kind }) => kind === 'Tampered');
  return {
    kind: 'incomplete',
    faults,
    explanation: `${bad} of ${expected.length} blobs ${bad === 1 ? 'is' : 'are'} not as the manifest says: ${faults.map(({ explanation }) => explanation).join(' ')}`,
    nextStep: changed
      ? 'Treat the changed blob as tampering: keep both copies as they are, read the storage logs of the account, and take a new backup.'
      : 'Copy the backup again from the landing account; if it is incomplete there too, take a new one.',
  };
}

/** Blob by blob in the order of the names; the landing list is seldom read whole, so there an unread blob is no fault. */
function compareBlobs(
  expected: readonly ManifestBlob[],
  found: readonly BlobFact[],
  where: 'landing' | 'copy',
): BlobFault[] {
  const byName = new Map(found.map((blob) => [blob.name, blob]));
  const known = new Set(expected.map(({ name }) => name));
  const place = where === 'copy' ? 'in the copy' : 'in the landing folder';
  const fault = (kind: BlobFault['kind'], name: string, what: string): BlobFault => ({
    kind,
    where,
    name,
    explanation: `${name} ${what} ${place}.`,
  });
  const wrong = expected.flatMap((blob) => {
    const there = byName.get(blob.name);
    if (there === undefined) return [fault('Missing', blob.name, 'is missing')];
    if (there.size < blob.size) return [fault('Truncated', blob.name, `has ${there.size} of ${blob.size} bytes`)];
    if (there.size > blob.size) return [fault('Grown', blob.name, `has ${there.size} bytes instead of ${blob.size}`)];
    if (there.sha256 === undefined) {
      return where === 'copy' ? [fault('Unread', blob.name, 'has its size, but its bytes were not read')] : [];
    }
    if (there.sha256.toLowerCase() === blob.sha256.toLowerCase()) return [];
    return [fault('Tampered', blob.name, 'has its size, but other bytes')];
  });
  const extra = found.filter(({ name }) => !known.has(name)).map(({ name }) => fault('Extra', name, 'is not expected'));
  return [...wrong, ...extra];
}
