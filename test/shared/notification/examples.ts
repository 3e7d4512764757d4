import type { ComposeContext, Notice, ToldCheck } from '../../../shared/notification/notice.ts';
import { NEW_VERSION, OLD_VERSION } from '../builders.ts';
import { HSM_EXAMPLES } from './hsm-examples.ts';

export const CONTEXT: ComposeContext = {
  installation: 'embedded',
  hsmUris: { contoso: 'https://contoso.managedhsm.azure.net' },
};

export type NoticeOf<Kind extends Notice['kind']> = Extract<Notice, { kind: Kind }>;

export const identifier = (version: string): string =>
  `https://contoso.managedhsm.azure.net/keys/payments-card-pan/${version}`;

export const COMMAND =
  'az keyvault role assignment create --hsm-name contoso --role "Managed HSM Crypto User" --assignee 22222222-2222-2222-2222-222222222222 --scope /keys/payments-card-pan';

export const denial = {
  dataAction: 'Microsoft.KeyVault/managedHsm/keys/rotate/action',
  scope: '/keys/payments-card-pan',
  duty: 'rotate',
  clientId: '22222222-2222-2222-2222-222222222222',
};

export const denied = {
  code: 'ERR_DENIED' as const,
  message: `Could not rotate contoso/payments-card-pan: the identity lacks the data action ${denial.dataAction}.`,
  nextStep: `Grant it with: ${COMMAND} (or name a custom role that holds just this data action).`,
  denial,
};

const about = {
  at: '2030-01-15T12:00:00.000Z',
  key: {
    hsm: 'contoso',
    name: 'payments-card-pan',
    keyType: 'RSA-HSM' as const,
    expiresOn: '2030-02-01T00:00:00Z',
    tags: { application: 'Card vault' },
  },
  notify: { notify: ['payments@contoso.example'], owner: 'Payments' },
};

const checks: ToldCheck[] = [
  { operation: 'wrapKey', version: 'new', algorithm: 'RSA-OAEP-256', result: 'ok' },
  { operation: 'unwrapKey', version: 'new', algorithm: 'RSA-OAEP-256', result: 'ok' },
  { operation: 'unwrapKey', version: 'old', algorithm: 'RSA-OAEP-256', result: 'ok' },
];

const RETIREMENT = { version: OLD_VERSION, retirement: 'retire-contoso-orders-1', by: 'oid-1' };

/** One healthy example of each kind, to be changed by the tests. */
export const EXAMPLES: { [Kind in Notice['kind']]: NoticeOf<Kind> } = {
  ...HSM_EXAMPLES,
  KeyRotated: {
    kind: 'KeyRotated',
    ...about,
    version: NEW_VERSION,
    previous: OLD_VERSION,
    by: 'us',
    reason: 'NearExpiry',
    explanation: 'The version expires within P30D.',
    proof: 'proven',
    proofExplanation: 'The new version passed wrapKey and unwrapKey.',
    checks,
    differences: [],
    warnings: [],
  },
  RotationRefused: {
    kind: 'RotationRefused',
    ...about,
    version: OLD_VERSION,
    expired: false,
    refusal: {
      kind: 'refused',
      reason: 'HeldByTag',
      explanation: 'The key is held by its tag hold, until the tag is removed.',
      nextStep: 'Remove the tag hold, or repeat the request with the override hold.',
    },
  },
  RotationReminder: {
    kind: 'RotationReminder',
    ...about,
    version: OLD_VERSION,
    expired: false,
    reminder: {
      kind: 'remind',
      reason: 'ImportedKey',
      explanation: 'The version is due for new material.',
      nextStep: 'Make new key material and import it as a new version of this key.',
    },
  },
  RotationNotCounted: {
    kind: 'RotationNotCounted',
    ...about,
    version: NEW_VERSION,
    previous: OLD_VERSION,
    refusal: {
      kind: 'refused',
      reason: 'NotProven',
      explanation: 'unwrapKey with the new version failed.',
      nextStep: 'Look at the failed checks; once they are explained, rotate the key again.',
    },
    checks: checks.map((check, index) =>
      index === 1 ? { ...check, result: 'failed', detail: 'other bytes came back' } : check,
    ),
    differences: [],
  },
  RotationFailed: { kind: 'RotationFailed', ...about, version: OLD_VERSION, failure: denied },
  PolicyDrift: {
    kind: 'PolicyDrift',
    ...about,
    differences: [{ attribute: 'expiryTime', expected: 'P1Y', found: 'P2Y' }],
    action: 'repaired',
  },
  PolicyDriftDigest: {
    kind: 'PolicyDriftDigest',
    at: '2030-01-15T12:00:00Z',
    hsm: 'contoso',
    notify: { notify: ['payments@contoso.example'], owner: 'Payments' },
    action: 'told',
    keys: ['orders', 'payments-card-pan', 'refunds', 'returns'],
  },
  KeyVersionAdopted: {
    kind: 'KeyVersionAdopted',
    ...about,
    version: NEW_VERSION,
    since: '2030-01-01T12:00:00Z',
    explanation: 'All 2 callers have moved to the new version, or have fallen silent.',
    callers: [{ caller: 'oid-1', state: 'moved', lastOld: '2030-01-01T11:00:00Z' }],
    unprotect: 1,
  },
  RetirementRequested: {
    kind: 'RetirementRequested',
    ...about,
    ...RETIREMENT,
    note: 'unused',
    until: '2030-01-18T12:00:00Z',
  },
  KeyVersionRetired: {
    kind: 'KeyVersionRetired',
    ...about,
    ...RETIREMENT,
    approvedBy: 'oid-2',
    watchedUntil: '2030-01-17T12:30:00Z',
  },
  KeyVersionReenabled: { kind: 'KeyVersionReenabled', ...about, ...RETIREMENT, callers: ['oid-app'] },
  RetirementFailed: {
    kind: 'RetirementFailed',
    ...about,
    ...RETIREMENT,
    failure: { message: 'It is in use.', nextStep: 'Wait.' },
  },
  HeartbeatMissed: {
    kind: 'HeartbeatMissed',
    at: '2030-01-15T12:00:00Z',
    hsm: 'contoso',
    notify: { notify: ['payments@contoso.example'], owner: 'Payments' },
    work: 'sweep',
    name: 'sweep-contoso',
    since: '2030-01-15T10:03:00Z',
    last: '2030-01-15T10:00:20Z',
    dueBy: '2030-01-15T11:00:00Z',
    schedule: '0 */15 * * * *',
  },
  HeartbeatRecovered: {
    kind: 'HeartbeatRecovered',
    at: '2030-01-15T12:00:00Z',
    hsm: 'contoso',
    notify: { notify: ['payments@contoso.example'], owner: 'Payments' },
    work: 'sweep',
    name: 'sweep-contoso',
    since: '2030-01-15T10:03:00Z',
    last: '2030-01-15T11:59:20Z',
  },
  PolicyDocumentFault: {
    kind: 'PolicyDocumentFault',
    at: about.at,
    rejectedVersion: '"0x8DE"',
    inForce: '"0x8DD"',
    faults: [
      { path: 'defaults.rotation.before', rule: 'is an ISO 8601 duration', got: '"30 days"', example: 'P30D' },
      { path: '', rule: 'names a fallback', got: 'nothing', example: '{ "owners": { "fallback": ["a@b.example"] } }' },
    ],
  },
  PolicyDocumentMissing: { kind: 'PolicyDocumentMissing', at: about.at, inForce: '"0x8DD"' },
  KeysUnreadable: {
    kind: 'KeysUnreadable',
    at: about.at,
    hsm: 'contoso',
    notify: about.notify,
    keys: ['orders', 'payments-card-pan'],
    failure: denied,
  },
  SweepFailed: { kind: 'SweepFailed', at: about.at, hsm: 'contoso', failure: denied },
};
