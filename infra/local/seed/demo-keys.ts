import type { KeySeed } from './seed.ts';

type Tags = Record<string, string>;
type More = Omit<Partial<KeySeed>, 'name' | 'kty' | 'tags' | 'created' | 'expires'>;

/** Created and expires count from now: `-P300D` ago, `P12D` ahead. */
const key =
  (kty: KeySeed['kty'], shape: Pick<KeySeed, 'size' | 'crv' | 'keyOps'>) =>
  (name: string, created: string, expires: string | undefined, tags: Tags, more: More = {}): KeySeed => ({
    name,
    kty,
    ...shape,
    created,
    ...(expires === undefined ? {} : { expires }),
    tags,
    ...more,
  });

const rsa2048 = key('RSA-HSM', { size: 2048 });
const rsa3072 = key('RSA-HSM', { size: 3072 });
const wrapping = key('RSA-HSM', { size: 2048, keyOps: ['wrapKey', 'unwrapKey'] });
const signing = key('EC-HSM', { crv: 'P-256', keyOps: ['sign', 'verify'] });
const p384 = key('EC-HSM', { crv: 'P-384', keyOps: ['sign', 'verify'] });
const p521 = key('EC-HSM', { crv: 'P-521', keyOps: ['sign', 'verify'] });
const p256k = key('EC-HSM', { crv: 'P-256K', keyOps: ['sign', 'verify'] });
const aes = key('oct-HSM', { size: 256 });

const owned = (owner: string, team: string, consumer: string, more: Tags = {}): Tags => ({
  owner,
  team,
  consumer,
  ...more,
});
const payments = (consumer: string, more?: Tags) => owned('payments@contoso.example', 'payments', consumer, more);
const platform = (consumer: string, more?: Tags) =>
  owned('data-platform@contoso.example', 'data-platform', consumer, more);
const hospital = (consumer: string, more?: Tags) => owned('clinical-it@contoso.example', 'clinical-it', consumer, more);
const claims = (consumer: string, more?: Tags) => owned('claims@contoso.example', 'claims', consumer, more);

/** The HSM itself rotates a week before the end: the net below the app. */
const yearly: NonNullable<KeySeed['rotationPolicy']> = { expiryTime: 'P1Y', rotate: { timeBeforeExpiry: 'P7D' } };
/** Somebody changed this one by hand: it gives versions three years and never rotates by itself. */
const drifted: NonNullable<KeySeed['rotationPolicy']> = { expiryTime: 'P3Y' };
/** Rotates by itself half a year after creation: due within days for a key of that age. */
const nativeSoon: NonNullable<KeySeed['rotationPolicy']> = { expiryTime: 'P1Y', rotate: { timeAfterCreate: 'P180D' } };

const kept = { rotationPolicy: yearly };

export const demoKeys: KeySeed[] = [
  // Near expiry: about a third of the fleet.
  rsa3072('payments-card-pan', '-P345D', 'P20D', payments('card-vault', { class: 'tier0' }), kept),
  wrapping('payments-pin-block', '-P350D', 'P15D', payments('pin-service', { class: 'tier0' }), kept),
  signing('payments-settlement-sign', '-P340D', 'P25D', payments('settlement'), kept),
  rsa2048('sql-tde-core', '-P353D', 'P12D', platform('sql-core', { class: 'tier1' }), kept),
  rsa3072('sql-tde-ledger', '-P356D', 'P9D', platform('sql-ledger', { class: 'tier1' }), kept),
  rsa2048('storage-cmk-claims', '-P337D', 'P28D', claims('stclaims'), kept),
  rsa2048('storage-cmk-archive', '-P363D', 'P2D', platform('starchive')),
  aes('pacs-images', '-P346D', 'P19D', hospital('pacs', { class: 'clinical' }), kept),
  aes('lab-results', '-P355D', 'P10D', hospital('lis', { class: 'clinical' }), kept),
  wrapping('dataprotection-portal', '-P356D', 'P9D', owned('web@contoso.example', 'web', 'portal'), kept),
  p384(
    'swift-message-auth',
    '-P343D',
    'P22D',
    payments('swift-gateway', { class: 'tier0', 'rotate-before': 'P45D' }),
    kept,
  ),
  p521(
    'firmware-release-sign',
    '-P348D',
    'P17D',
    owned('devices@contoso.example', 'devices', 'release-pipeline'),
    kept,
  ),
  rsa2048(
    'cosmos-cmk-patients',
    '-P351D',
    'P14D',
    hospital('cosmos-patients', { notify: 'dpo@contoso.example' }),
    kept,
  ),

  // Expired, some long ago and unnoticed.
  rsa2048('storage-cmk-legacy', '-P400D', '-P35D', platform('stlegacy')),
  signing('partner-api-sign', '-P372D', '-P7D', owned('partners@contoso.example', 'partners', 'partner-api')),
  rsa3072('vpn-root-wrap', '-P366D', '-P1D', owned('network@contoso.example', 'network', 'vpn')),

  // Left alone on purpose.
  rsa2048('sql-tde-migration', '-P352D', 'P13D', platform('sql-migration', { hold: 'true' }), kept),
  rsa2048(
    'audit-evidence-2024',
    '-P349D',
    'P16D',
    owned('audit@contoso.example', 'audit', 'evidence', { hold: '2099-12-31' }),
    kept,
  ),
  aes('trading-cold-store', '-P500D', 'P10D', payments('cold-store'), { enabled: false }),
  rsa2048('mainframe-bridge', '-P700D', 'P30D', owned('mainframe@contoso.example', 'mainframe', 'bridge'), {
    enabled: false,
  }),

  // Nobody to ask.
  rsa2048('test-key-do-not-use', '-P347D', 'P18D', {}),
  signing('poc-blockchain', '-P349D', 'P16D', {}),

  // Imported material cannot simply be made anew.
  rsa3072('visa-scheme-key', '-P344D', 'P21D', payments('visa', { origin: 'imported', class: 'tier0' }), {
    imported: true,
  }),
  aes('hl7-partner-shared', '-P357D', 'P8D', hospital('hl7-gateway', { origin: 'imported' }), { imported: true }),

  // The cap of 100 versions is near.
  rsa2048('records-archive', '-P20D', 'P10D', hospital('archive'), { versions: 97, rotationPolicy: yearly }),

  // The HSM will rotate these by itself.
  rsa2048('disk-encryption-set-prod', '-P178D', 'P187D', owned('compute@contoso.example', 'compute', 'des-prod'), {
    rotationPolicy: nativeSoon,
  }),
  rsa2048('aks-etcd-prod', '-P179D', 'P186D', owned('compute@contoso.example', 'compute', 'aks-prod'), {
    rotationPolicy: nativeSoon,
  }),

  // Policies that differ from the document, or are missing.
  rsa3072('postgres-cmk-crm', '-P200D', 'P165D', platform('psql-crm'), { rotationPolicy: drifted }),
  rsa2048('eventhub-cmk-telemetry', '-P120D', 'P245D', owned('iot@contoso.example', 'iot', 'telemetry'), {
    rotationPolicy: drifted,
  }),
  rsa2048('backup-vault-cmk', '-P100D', 'P265D', platform('backup-vault')),
  rsa3072('synapse-workspace', '-P700D', undefined, platform('synapse')),

  // Tags that say what no policy knows.
  wrapping(
    'mulesoft-broker',
    '-P338D',
    'P27D',
    owned('integration@contoso.example', 'integration', 'mulesoft', { class: 'tier9', 'rotate-before': 'soon' }),
  ),
  aes(
    'redis-session',
    '-P90D',
    'P275D',
    owned('web@contoso.example', 'web', 'redis', { 'cost-center': '4711', 'x-review': 'pending' }),
    kept,
  ),

  // Made for one thing only.
  key('RSA-HSM', { size: 2048, keyOps: ['encrypt', 'decrypt'] })(
    'claims-form-fields',
    '-P341D',
    'P24D',
    claims('forms'),
    kept,
  ),
  key('RSA-HSM', { size: 3072, keyOps: ['sign', 'verify'] })('document-seal', '-P60D', 'P305D', claims('e-seal'), kept),
  p256k('crypto-desk-wallet', '-P80D', 'P285D', payments('wallet'), kept),

  // Fresh: nothing to do for months.
  rsa3072('payments-hsm-transport', '-P10D', 'P355D', payments('transport', { class: 'tier0' }), kept),
  aes('ehr-notes', '-P30D', 'P335D', hospital('ehr', { class: 'clinical' }), kept),
  p384('oidc-issuer-sign', '-P5D', 'P360D', owned('identity@contoso.example', 'identity', 'issuer'), kept),
  rsa2048('storage-cmk-media', '-P45D', 'P320D', platform('stmedia'), kept),
];

export const fabrikamKeys: KeySeed[] = [
  rsa2048('sql-tde-hr', '-P346D', 'P19D', owned('hr-it@fabrikam.example', 'hr-it', 'sql-hr'), kept),
  aes('payroll-export', '-P30D', 'P335D', owned('hr-it@fabrikam.example', 'hr-it', 'payroll'), kept),
  signing('badge-system', '-P370D', '-P5D', owned('facilities@fabrikam.example', 'facilities', 'badges')),
];
