/**
 * Who holds what of a security domain: wrapping certificates (public parts), the private key of each (a share of the quorum,
 * kept offline), and the copies of the security-domain file. The ledger holds facts, never the things themselves.
 */
export type CustodyFact = FactBase &
  (
    | {
        kind: 'SecurityDomainRecorded';
        /** Lineage: the HSMs that share it can restore each other's backups. */
        hsms: string[];
        quorum: number;
        /** Fingerprints of the certificates that it was downloaded with. */
        certificates: string[];
      }
    | { kind: 'CertificateRegistered'; certificate: WrappingCertificate }
    /** The private key of a certificate was given into somebody's hands, or taken over by somebody else. */
    | { kind: 'ShareHandedOver'; certificate: string; to: Custodian; from?: string; witness?: string }
    /** Somebody saw the share where it belongs. */
    | { kind: 'ShareSighted'; certificate: string; place?: string }
    | { kind: 'ShareLost'; certificate: string; reason: string }
    | { kind: 'ShareFound'; certificate: string; place?: string }
    | { kind: 'HolderUnavailable'; holder: string; until?: string; reason: string }
    | { kind: 'HolderAvailable'; holder: string }
    | { kind: 'FileStored'; copy: string; place: string }
    | { kind: 'FileSighted'; copy: string }
    | { kind: 'FileDestroyed'; copy: string; reason: string }
    | { kind: 'Reviewed'; findings?: string }
  );

interface FactBase {
  /** Unique; a repeat is the same fact. */
  id: string;
  /** Lineage id of the security domain. */
  securityDomain: string;
  /** When it was so; ISO instant. */
  at: string;
  /** Who states it. */
  by: string;
}

export interface WrappingCertificate {
  /** Hex SHA-256 of the DER form. */
  fingerprint: string;
  subject: string;
  notBefore: string;
  notAfter: string;
  /** Bits of the RSA key. */
  keySize: number;
}

export interface Custodian {
  name: string;
  mail?: string;
  /** Where the share lies: a safe, a bank, a city. */
  place: string;
}

export interface Share {
  certificate: string;
  holder?: Custodian;
  /** Newest of hand-over, sighting and finding. */
  lastSeen?: { at: string; by: string };
  lost?: { at: string; reason: string };
  handOvers: { at: string; from?: string; to: string; witness?: string }[];
}

export interface FileCopy {
  copy: string;
  place: string;
  lastSeen: { at: string; by: string };
}

/** What the facts of one security domain add up to. */
export interface Custody {
  securityDomain: string;
  hsms: string[];
  /** Absent until it is recorded. */
  quorum?: number;
  certificates: WrappingCertificate[];
  /** One for each certificate that the security domain was downloaded with last. */
  shares: Share[];
  unavailable: Record<string, { until?: string; reason: string }>;
  files: FileCopy[];
  lastReview?: { at: string; by: string; findings?: string };
}

/**
 * Folds the facts of one security domain, in the order of their instants; facts of others are left out, and a fact with a
 * known id counts once. The order in which facts arrive changes nothing.
 */
export function foldCustody(securityDomain: string, facts: readonly CustodyFact[]): Custody {
  const own = new Map(facts.filter((fact) => fact.securityDomain === securityDomain).map((fact) => [fact.id, fact]));
  const ordered = [...own.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at) || (a.id < b.id ? -1 : 1));
  const fold = ordered.reduce(apply, EMPTY);
  const current = fold.current ?? [...fold.certificates.keys()];
  return {
    securityDomain,
    hsms: fold.hsms,
    ...(fold.quorum === undefined ? {} : { quorum: fold.quorum }),
    certificates: current.flatMap((fingerprint) => fold.certificates.get(fingerprint) ?? []),
    shares: current.map((certificate) => fold.shares.get(certificate) ?? { certificate, handOvers: [] }),
    unavailable: Object.fromEntries(fold.unavailable),
    files: [...fold.files.values()],
    ...(fold.lastReview === undefined ? {} : { lastReview: fold.lastReview }),
  };
}

/** Which HSMs share a security domain, and so can restore each other's backups; by lineage. */
export const lineages = (facts: readonly CustodyFact[]): Record<string, string[]> =>
  Object.fromEntries(
    [...new Set(facts.map(({ securityDomain }) => securityDomain))]
      .sort()
      .map((lineage) => [lineage, foldCustody(lineage, facts).hsms]),
  );

interface Fold {
  hsms: string[];
  quorum?: number;
  current?: string[];
  certificates: ReadonlyMap<string, WrappingCertificate>;
  shares: ReadonlyMap<string, Share>;
  unavailable: ReadonlyMap<string, { until?: string; reason: string }>;
  files: ReadonlyMap<string, FileCopy>;
  lastReview?: { at: string; by: string; findings?: string };
}

const EMPTY: Fold = {
  hsms: [],
  certificates: new Map(),
  shares: new Map(),
  unavailable: new Map(),
  files: new Map(),
};

function apply(fold: Fold, fact: CustodyFact): Fold {
  const { at, by } = fact;
  const seen = { at, by };
  switch (fact.kind) {
    case 'SecurityDomainRecorded':
      return { ...fold, hsms: [...new Set(fact.hsms)], quorum: fact.quorum, current: [...new Set(fact.certificates)] };
    case 'CertificateRegistered':
      return { ...fold, certificates: set(fold.certificates, fact.certificate.fingerprint, fact.certificate) };
    case 'ShareHandedOver':
      return withShare(fold, fact.certificate, ({ lost: _, ...share }) => ({
        ...share,
        holder: fact.to,
        lastSeen: seen,
        handOvers: [...share.handOvers, handOver(fact, share)],
      }));
    case 'ShareSighted':
      // Who says that a lost share was seen has to say that it was found.
      return withShare(fold, fact.certificate, (share) =>
        share.lost === undefined ? { ...movedTo(share, fact.place), lastSeen: seen } : share,
      );
    case 'ShareLost':
      return withShare(fold, fact.certificate, (share) => ({ ...share, lost: { at, reason: fact.reason } }));
    case 'ShareFound':
      return withShare(fold, fact.certificate, ({ lost: _, ...share }) => ({
        ...movedTo(share, fact.place),
        lastSeen: seen,
      }));
    case 'HolderUnavailable': {
      const absence = { reason: fact.reason, ...(fact.until === undefined ? {} : { until: fact.until }) };
      return { ...fold, unavailable: set(fold.unavailable, holderKey(fact.holder), absence) };
    }
    case 'HolderAvailable':
      return { ...fold, unavailable: unset(fold.unavailable, holderKey(fact.holder)) };
    case 'FileStored':
      return { ...fold, files: set(fold.files, fact.copy, { copy: fact.copy, place: fact.place, lastSeen: seen }) };
    case 'FileSighted': {
      const file = fold.files.get(fact.copy);
      return file === undefined ? fold : { ...fold, files: set(fold.files, fact.copy, { ...file, lastSeen: seen }) };
    }
    case 'FileDestroyed':
      return { ...fold, files: unset(fold.files, fact.copy) };
    case 'Reviewed':
      return { ...fold, lastReview: { ...seen, ...(fact.findings === undefined ? {} : { findings: fact.findings }) } };
  }
}

/** Names of people compare without case and outer blanks. */
export const holderKey = (name: string): string => name.trim().toLowerCase();

function withShare(fold: Fold, certificate: string, change: (share: Share) => Share): Fold {
  const share = fold.shares.get(certificate) ?? { certificate, handOvers: [] };
  return { ...fold, shares: set(fold.shares, certificate, change(share)) };
}

function handOver(fact: Extract<CustodyFact, { kind: 'ShareHandedOver' }>, share: Omit<Share, 'lost'>) {
  const from = fact.from ?? share.holder?.name;
  return {
    at: fact.at,
    to: fact.to.name,
    ...(from === undefined ? {} : { from }),
    ...(fact.witness === undefined ? {} : { witness: fact.witness }),
  };
}

const movedTo = (share: Share, place: string | undefined): Share =>
  place === undefined || share.holder === undefined ? share : { ...share, holder: { ...share.holder, place } };

const set = <T>(map: ReadonlyMap<string, T>, name: string, value: T): ReadonlyMap<string, T> =>
  new Map(map).set(name, value);

const unset = <T>(map: ReadonlyMap<string, T>, name: string): ReadonlyMap<string, T> =>
  new Map([...map].filter(([each]) => each !== name));
