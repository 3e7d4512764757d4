import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildManifest, manifestFigures, readManifest, sealManifest } from '../../../shared/backup/manifest.ts';
import { type BlobFact, verifyBackup } from '../../../shared/backup/verify-manifest.ts';
import { sha256, without } from '../builders.ts';
import { aManifest, aManifestKey, aVersion } from './builders.ts';

describe('buildManifest', () => {
  const source = { ...without(aManifest(), 'version', 'notCovered'), externalKeys: [] as string[] };

  it('names externally held keys as not covered, and lists them nowhere else', () => {
    const manifest = buildManifest({ ...source, externalKeys: ['Storage-CMK'] });
    expect(manifest.keys.map(({ name }) => name)).toEqual(['payments-kek']);
    expect(manifest.notCovered).toEqual([{ name: 'Storage-CMK', reason: 'ExternallyHeld' }]);
  });

  it('leaves out what was made after the job, and marks what was made during it', () => {
    const versions = [
      aVersion('a'),
      aVersion('b', { createdOn: '2030-01-15T02:01:00Z' }),
      aVersion('c', { createdOn: '2030-01-15T02:04:00Z' }),
    ];
    const late = aManifestKey('late', { versions: [aVersion('d', { createdOn: '2030-01-15T03:00:00Z' })] });
    const manifest = buildManifest({ ...source, keys: [aManifestKey('k', { versions }), late] });
    expect(manifest.keys.map(({ name }) => name)).toEqual(['k']);
    expect(manifest.keys[0]?.versions.map(({ version, uncertain }) => [version[0], uncertain])).toEqual([
      ['a', undefined],
      ['b', true],
    ]);
  });
});

describe('a sealed manifest', () => {
  it('has one text whatever order its parts were found in', () => {
    const names = ['a', 'b', 'c', 'Z', 'é'];
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: names.length }), (order) => {
        const manifest = aManifest({ keys: order.map((name) => aManifestKey(name)) });
        const straight = aManifest({ keys: names.map((name) => aManifestKey(name)) });
        expect(sealManifest(manifest, sha256)).toEqual(sealManifest(straight, sha256));
      }),
    );
  });

  it('reads back as what was sealed', () => {
    const sealed = sealManifest(aManifest(), sha256);
    expect(readManifest(sealed.text, sealed.sha256.toUpperCase(), sha256)).toEqual({
      kind: 'manifest',
      manifest: aManifest(),
    });
  });

  it('is refused when one character was changed', () => {
    const sealed = sealManifest(aManifest(), sha256);
    const changed = sealed.text.replace('"size":60', '"size":61');
    expect(readManifest(changed, sealed.sha256, sha256)).toMatchObject({ kind: 'unusable', reason: 'HashMismatch' });
  });

  it.each([
    ['no JSON', 'x', 'NotAManifest'],
    ['a list', '[]', 'NotAManifest'],
    ['a later version', '{"version":2}', 'UnknownVersion'],
    ['an empty one', '{"version":1}', 'NotAManifest'],
    ['keys that are none', JSON.stringify({ ...aManifest(), keys: [{}] }), 'NotAManifest'],
    [
      'a key without versions',
      JSON.stringify({ ...aManifest(), keys: [{ name: 'k', keyType: 'x', tags: {} }] }),
      'NotAManifest',
    ],
    ['blobs that are none', JSON.stringify({ ...aManifest(), blobs: 'many' }), 'NotAManifest'],
  ])('is refused when it is %s, even with its own hash', (_title, text, reason) => {
    expect(readManifest(text, sha256(text), sha256)).toMatchObject({ kind: 'unusable', reason });
  });

  it('never throws, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(readManifest(text, sha256(text), sha256).kind).toBe('unusable');
      }),
    );
  });

  it('counts what the catalogue shows', () => {
    expect(manifestFigures(aManifest())).toEqual({ keys: 2, versions: 2, blobs: 2, bytes: 100, notCovered: [] });
  });
});

describe('verifyBackup', () => {
  const { blobs } = aManifest();
  const [keys, roles] = blobs as [(typeof blobs)[0], (typeof blobs)[0]];
  const kinds = (copy: BlobFact[], landing?: BlobFact[]) => {
    const verification = verifyBackup(blobs, { copy, ...(landing === undefined ? {} : { landing }) });
    return verification.kind === 'complete'
      ? []
      : verification.faults.map(({ kind, where, name }) => `${kind} ${where} ${name}`);
  };

  it('is complete when every blob is there with its size and hash', () => {
    expect(verifyBackup(blobs, { copy: blobs, landing: blobs })).toEqual({ kind: 'complete', blobs: 2, bytes: 100 });
  });

  it.each<[string, BlobFact[], string[]]>([
    ['missing', [keys], ['Missing copy roles.bin']],
    ['truncated', [keys, { ...roles, size: 39 }], ['Truncated copy roles.bin']],
    ['grown', [keys, { ...roles, size: 41 }], ['Grown copy roles.bin']],
    ['tampered', [keys, { ...roles, sha256: '3'.repeat(64) }], ['Tampered copy roles.bin']],
    ['extra', [keys, roles, { name: 'x', size: 1 }], ['Extra copy x']],
    ['unread', [keys, { name: roles.name, size: roles.size }], ['Unread copy roles.bin']],
    ['everything', [], ['Missing copy keys.bin', 'Missing copy roles.bin']],
  ])('names a blob that is %s', (_title, copy, expected) => {
    expect(kinds(copy)).toEqual(expected);
  });

  it('looks at the landing folder by size where its bytes were not read again', () => {
    expect(
      kinds(blobs, [
        { name: keys.name, size: keys.size },
        { name: roles.name, size: 1 },
      ]),
    ).toEqual(['Truncated landing roles.bin']);
  });

  it('takes an empty folder for no backup', () => {
    expect(verifyBackup([], { copy: [] })).toMatchObject({
      kind: 'incomplete',
      explanation: expect.stringContaining('no blob'),
    });
  });

  it('calls changed bytes tampering, and asks to keep the evidence', () => {
    const found = verifyBackup(blobs, { copy: [keys, { ...roles, sha256: 'f'.repeat(64) }] });
    expect(found).toMatchObject({ nextStep: expect.stringContaining('tampering') });
  });

  it('is complete for nothing but the very list: any change of one blob is found', () => {
    const aBlob = fc.record({
      name: fc.string({ minLength: 1 }),
      size: fc.nat(),
      sha256: fc.stringMatching(/^[0-9a-f]{8}$/),
    });
    const list = fc.uniqueArray(aBlob, { selector: ({ name }) => name, minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(list, fc.nat(), fc.constantFrom('drop', 'size', 'hash', 'none'), (expected, at, change) => {
        const hit = at % expected.length;
        const copy = expected.flatMap((blob, index): BlobFact[] => {
          if (index !== hit || change === 'none') return [blob];
          if (change === 'drop') return [];
          return [change === 'size' ? { ...blob, size: blob.size + 1 } : { ...blob, sha256: `${blob.sha256}0` }];
        });
        expect(verifyBackup(expected, { copy }).kind).toBe(change === 'none' ? 'complete' : 'incomplete');
      }),
    );
  });
});
