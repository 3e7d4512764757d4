import type { CustodyFact, WrappingCertificate } from '../../../shared/custody/ledger.ts';
import { daysAgo } from '../backup/builders.ts';

export const FINGERPRINTS = ['a'.repeat(64), 'b'.repeat(64), 'c'.repeat(64)];

type Stated = CustodyFact extends infer Fact
  ? Fact extends CustodyFact
    ? Omit<Fact, 'id' | 'securityDomain' | 'at' | 'by'>
    : never
  : never;

/** A fact so many days ago, with an id of its own content. */
export const fact = (stated: Stated, days = 20): CustodyFact =>
  ({
    ...stated,
    id: `${days} ${JSON.stringify(stated)}`,
    securityDomain: 'sd-1',
    at: daysAgo(days),
    by: 'Carol',
  }) as CustodyFact;

export const aCertificate = (fingerprint: string, changes: Partial<WrappingCertificate> = {}): WrappingCertificate => ({
  fingerprint,
  subject: `CN=custodian ${fingerprint.slice(0, 2)}`,
  notBefore: daysAgo(100),
  notAfter: daysAgo(-265),
  keySize: 4096,
  ...changes,
});

const HOLDERS = [
  { name: 'Ada', place: 'Berlin' },
  { name: 'Bob', place: 'Hamburg' },
  { name: 'Eve', place: 'Munich' },
];

/** Three shares in three places, two needed, seen 20 days ago. */
export const aLedger = (): CustodyFact[] => [
  fact(
    { kind: 'SecurityDomainRecorded', hsms: ['contoso', 'contoso-drill'], quorum: 2, certificates: FINGERPRINTS },
    30,
  ),
  ...FINGERPRINTS.map((fingerprint) =>
    fact({ kind: 'CertificateRegistered', certificate: aCertificate(fingerprint) }, 30),
  ),
  ...FINGERPRINTS.map((certificate, index) =>
    fact({ kind: 'ShareHandedOver', certificate, to: HOLDERS[index] ?? { name: 'Nobody', place: 'Nowhere' } }),
  ),
  fact({ kind: 'FileStored', copy: 'copy-1', place: 'Berlin' }),
];
