import { parseInstant } from '../time.ts';
import { type Custody, type CustodyFact, holderKey } from './ledger.ts';
import { privateMaterialIn, type Secret } from './private-material.ts';

/** One thing wrong with what was stated, named by its field. */
export interface InputFault {
  field: string;
  rule: string;
  got: string;
}

export type JudgedInput =
  | { kind: 'accepted'; fact: CustodyFact /** Told with the answer; they hinder nothing. */; warnings: string[] }
  | { kind: 'refused'; reason: 'PrivateMaterial'; field: string; secret: Secret; explanation: string; nextStep: string }
  | { kind: 'refused'; reason: 'Malformed'; faults: InputFault[]; explanation: string; nextStep: string };

/** Texts of a fact are short; a file does not fit, which is meant. */
const LONGEST_TEXT = 512;
const FINGERPRINT = /^[0-9a-f]{64}$/;

type Kind = CustodyFact['kind'];

/** Fields of each kind beside `kind`, `id`, `securityDomain`, `at` and `by`. A question mark marks an optional one. */
const FIELDS: Record<Kind, readonly string[]> = {
  SecurityDomainRecorded: ['hsms:texts', 'quorum:quorum', 'certificates:fingerprints'],
  CertificateRegistered: ['certificate:certificate'],
  ShareHandedOver: ['certificate:fingerprint', 'to:custodian', 'from:text?', 'witness:text?'],
  ShareSighted: ['certificate:fingerprint', 'place:text?'],
  ShareLost: ['certificate:fingerprint', 'reason:text'],
  ShareFound: ['certificate:fingerprint', 'place:text?'],
  HolderUnavailable: ['holder:text', 'until:instant?', 'reason:text'],
  HolderAvailable: ['holder:text'],
  FileStored: ['copy:text', 'place:text'],
  FileSighted: ['copy:text'],
  FileDestroyed: ['copy:text', 'reason:text'],
  Reviewed: ['findings:text?'],
};

/**
 * Reads what a person states for the ledger. Anything that looks like private key material is refused first, whatever field
 * it stands in, and is not repeated in the answer. Then everything wrong is listed at once. Never throws.
 */
export function judgeCustodyInput(input: unknown, custody: Custody, now: Date): JudgedInput {
  const secret = findSecret(input, '');
  if (secret !== undefined) return secret;
  if (!isObject(input)) return malformed([{ field: '', rule: 'is an object', got: shown(input) }]);
  const { kind } = input;
  if (typeof kind !== 'string' || !Object.hasOwn(FIELDS, kind)) {
    return malformed([{ field: 'kind', rule: `is one of ${Object.keys(FIELDS).join(', ')}`, got: shown(kind) }]);
  }
  const fields = ['id:text', 'securityDomain:text', 'at:instant', 'by:text', ...FIELDS[kind as Kind]];
  const known = new Set(['kind', ...fields.map((field) => field.split(':')[0])]);
  const faults = [
    ...fields.flatMap((field) => checkField(input, field)),
    ...Object.keys(input)
      .filter((name) => !known.has(name))
      .map((name) => ({ field: name, rule: `is no field of ${kind}`, got: shown(input[name]) })),
  ];
  if (faults.length > 0) return malformed(faults);
  const fact = input as unknown as CustodyFact;
  const contradictions = contradictionsIn(fact, custody, now);
  return contradictions.length > 0
    ? malformed(contradictions)
    : { kind: 'accepted', fact, warnings: warningsOf(fact, custody) };
}

function checkField(input: Record<string, unknown>, field: string): InputFault[] {
  const [name = '', type = ''] = field.split(':');
  const value = Object.hasOwn(input, name) ? input[name] : undefined;
  if (value === undefined) return type.endsWith('?') ? [] : [{ field: name, rule: 'is required', got: 'nothing' }];
  return CHECKS[type.replace('?', '')]?.(value, name) ?? [];
}

type Check = (value: unknown, field: string) => InputFault[];

const rule =
  (text: string, holds: (value: unknown) => boolean): Check =>
  (value, field) =>
    holds(value) ? [] : [{ field, rule: text, got: shown(value) }];

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.trim() !== '' && value.length <= LONGEST_TEXT;
const isInstant = (value: unknown): boolean => typeof value === 'string' && parseInstant(value) !== undefined;
const isFingerprint = (value: unknown): boolean => typeof value === 'string' && FINGERPRINT.test(value);

const checkText = rule(`is a text of 1 to ${LONGEST_TEXT} characters`, isText);
const checkInstant = rule('is an instant with its zone, such as 2026-03-01T09:00Z', isInstant);
const checkFingerprint = rule('is the SHA-256 of a certificate, 64 hex digits in lower case', isFingerprint);

/** What nobody asked for is not stored. */
const strangers = (value: Record<string, unknown>, known: readonly string[], field: string): InputFault[] =>
  Object.keys(value)
    .filter((name) => !known.includes(name))
    .map((name) => ({ field: `${field}.${name}`, rule: 'is no field of it', got: shown(value[name]) }));

const checkCustodian: Check = (value, field) => {
  if (!isObject(value)) return [{ field, rule: 'is a person with name and place', got: shown(value) }];
  return [
    ...checkText(value.name, `${field}.name`),
    ...checkText(value.place, `${field}.place`),
    ...(value.mail === undefined ? [] : checkText(value.mail, `${field}.mail`)),
    ...strangers(value, ['name', 'place', 'mail'], field),
  ];
};

const checkCertificate: Check = (value, field) => {
  if (!isObject(value)) return [{ field, rule: 'is what a public certificate says', got: shown(value) }];
  const faults = [
    ...checkFingerprint(value.fingerprint, `${field}.fingerprint`),
    ...checkText(value.subject, `${field}.subject`),
    ...checkInstant(value.notBefore, `${field}.notBefore`),
    ...checkInstant(value.notAfter, `${field}.notAfter`),
    // The service wraps the security domain for RSA keys. https://learn.microsoft.com/azure/key-vault/managed-hsm/security-domain
    ...rule('is 2048 bits of RSA at least', (size) => Number.isInteger(size) && Number(size) >= 2048)(
      value.keySize,
      `${field}.keySize`,
    ),
    ...strangers(value, ['fingerprint', 'subject', 'notBefore', 'notAfter', 'keySize'], field),
  ];
  if (faults.length > 0 || Date.parse(String(value.notBefore)) < Date.parse(String(value.notAfter))) return faults;
  return [{ field: `${field}.notAfter`, rule: 'is later than notBefore', got: shown(value.notAfter) }];
};

const CHECKS: Record<string, Check> = {
  text: checkText,
  instant: checkInstant,
  fingerprint: checkFingerprint,
  custodian: checkCustodian,
  certificate: checkCertificate,
  quorum: rule(
    'is a whole number from 2 to 10',
    (value) => Number.isInteger(value) && Number(value) >= 2 && Number(value) <= 10,
  ),
  texts: rule('is a list of 1 to 100 names', (value) => isList(value, 1, 100) && value.every(isText)),
  fingerprints: rule(
    'is a list of 3 to 10 fingerprints, each once',
    (value) => isList(value, 3, 10) && value.every(isFingerprint) && new Set(value).size === value.length,
  ),
};

/** What each field allows alone and the ledger contradicts. */
function contradictionsIn(fact: CustodyFact, custody: Custody, now: Date): InputFault[] {
  const fault = (field: string, text: string, got: unknown) => [{ field, rule: text, got: shown(got) }];
  // A few minutes, because the clocks of people differ from ours.
  if (Date.parse(fact.at) > now.getTime() + 5 * 60_000) return fault('at', 'is not in the future', fact.at);
  if (fact.kind === 'SecurityDomainRecorded' && fact.quorum > fact.certificates.length) {
    return fault('quorum', `is no more than the ${fact.certificates.length} certificates`, fact.quorum);
  }
  if (fact.kind === 'FileSighted' || fact.kind === 'FileDestroyed') {
    const known = custody.files.some(({ copy }) => copy === fact.copy);
    return known ? [] : fault('copy', 'is a copy that the ledger knows', fact.copy);
  }
  if (!('certificate' in fact) || fact.kind === 'CertificateRegistered') return [];
  const share = custody.shares.find(({ certificate }) => certificate === fact.certificate);
  if (share === undefined) return fault('certificate', 'belongs to the security domain', fact.certificate);
  if (fact.kind === 'ShareSighted' && share.lost !== undefined) {
    return fault('kind', 'is ShareFound for a share that is recorded as lost', fact.kind);
  }
  const holder = share.holder?.name;
  if (fact.kind !== 'ShareHandedOver' || fact.from === undefined || holder === undefined) return [];
  return holderKey(fact.from) === holderKey(holder) ? [] : fault('from', `is its present holder, ${holder}`, fact.from);
}

function warningsOf(fact: CustodyFact, custody: Custody): string[] {
  if (fact.kind === 'SecurityDomainRecorded') {
    // https://learn.microsoft.com/azure/key-vault/managed-hsm/security-domain advises three at least.
    return fact.quorum < 3 ? ['Microsoft advises a quorum of three at least.'] : [];
  }
  if (fact.kind !== 'ShareHandedOver') return [];
  const others = custody.shares.filter(({ certificate }) => certificate !== fact.certificate);
  const same = (a: string | undefined, b: string) => a !== undefined && holderKey(a) === holderKey(b);
  return [
    ...(others.some(({ holder }) => same(holder?.name, fact.to.name))
      ? [`${fact.to.name} holds another share as well.`]
      : []),
    ...(others.some(({ holder }) => same(holder?.place, fact.to.place))
      ? [`Another share lies in ${fact.to.place} as well; shares belong in separate places.`]
      : []),
    ...(fact.witness === undefined ? ['Nobody is named as witness of the hand-over.'] : []),
  ];
}

/** Depth first through whatever was sent, so that the innermost field is named; names are looked at as well as values. */
function findSecret(value: unknown, path: string, depth = 0): JudgedInput | undefined {
  const here = (text: string) => {
    const secret = privateMaterialIn(text);
    return secret === undefined ? undefined : refuseSecret(path, secret);
  };
  if (typeof value === 'string') return here(value);
  // Nothing that deep is a field of any fact, so it is refused as malformed.
  if (typeof value !== 'object' || value === null || depth > 20) return undefined;
  const entries = Object.entries(value);
  for (const [name, member] of entries) {
    const found = here(name) ?? findSecret(member, path === '' ? name : `${path}.${name}`, depth + 1);
    if (found !== undefined) return found;
  }
  // The members of a private JWK are told by their names, and bytes may come as numbers: only the whole shows either.
  const texts = entries.filter(([, member]) => typeof member === 'string');
  const bytes = entries.filter(([, member]) => Number.isInteger(member)).map(([, member]) => Number(member) & 0xff);
  return here(JSON.stringify(Object.fromEntries(texts))) ?? here(String.fromCharCode(...bytes.slice(0, 4096)));
}

const WHAT: Record<Secret, string> = {
  PrivateKey: 'a private key',
  KeyStore: 'a key store',
  SymmetricKey: 'a secret key',
  SecurityDomain: 'the security-domain file',
};

export const refuseSecret = (field: string, secret: Secret): Extract<JudgedInput, { reason: 'PrivateMaterial' }> => ({
  kind: 'refused',
  reason: 'PrivateMaterial',
  field,
  secret,
  explanation: `${field === '' ? 'What was sent' : field} looks like ${WHAT[secret]}. It was refused before anything was stored or logged.`,
  nextStep:
    'Send public certificates only. Where a private key has left its offline place by this, treat its share as exposed: download the security domain again with new wrapping keys.',
});

const malformed = (faults: InputFault[]): JudgedInput => ({
  kind: 'refused',
  reason: 'Malformed',
  faults,
  explanation: faults
    .map(({ field, rule: text, got }) => `${field === '' ? 'The fact' : field} ${text}; got ${got}.`)
    .join(' '),
  nextStep: 'Correct the fields that are named, and send it again.',
});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isList = (value: unknown, least: number, most: number): value is unknown[] =>
  Array.isArray(value) && value.length >= least && value.length <= most;

function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? typeof value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
