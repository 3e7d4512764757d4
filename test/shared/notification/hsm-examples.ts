import type { HsmNotice } from '../../../shared/notification/hsm-notice.ts';

const about = {
  at: '2030-01-15T12:00:00.000Z',
  hsm: 'contoso',
  notify: { notify: ['hsm@contoso.example'], owner: 'Crypto Operations' },
};

const failure = {
  code: 'ERR_REFUSED_BY_SERVICE' as const,
  message: 'Backup job 0a failed: ResourceNotFound.',
  nextStep: 'Check that the container exists.',
};

const backup = { backup: 'mhsm-contoso-20300115020000', takenOn: '2030-01-15T02:00:00Z' };

const drill = {
  ...about,
  ...backup,
  drill: 'drill-contoso-20300115T000000Z',
  target: 'contoso-drill',
  keys: 214,
  rpo: { seconds: 36_000, objectiveSeconds: 172_800 },
  rto: { seconds: 4980, objectiveSeconds: 28_800 },
  reasons: ['All 214 keys came back as the manifest says, and 3 sentinels opened.'],
  nextSteps: [],
  report: 'drills/drill-contoso-20300115T000000Z/report.html',
};

const fingerprint = 'ab'.repeat(32);

const incident = {
  ...about,
  incident: 'incident-contoso-0123456789abcdef',
  severity: 'Critical' as const,
  subject: 'mallory@contoso.example',
  gained: 'A key was used, or could be used, by somebody who should not',
  findings: ['New role at /keys/orders granted by mallory@contoso.example to herself'],
  findingsInAll: 3,
  keys: ['orders'],
};

const waitingStep = {
  id: 'revoke-all-00000000-0000-4000-8000-0000000f0001',
  title: 'Take the role Managed HSM Administrator at / away from mallory@contoso.example',
  why: '/ holds more than one key.',
  approvals: 1,
  until: '2030-01-16T11:30:00.000Z',
  shown: ['It used none of these keys in the last 30 days.'],
};

/** One of each kind of notice about an HSM as a whole. */
export const HSM_EXAMPLES: { [Kind in HsmNotice['kind']]: Extract<HsmNotice, { kind: Kind }> } = {
  BackupCompleted: {
    kind: 'BackupCompleted',
    ...about,
    ...backup,
    purpose: 'scheduled',
    keys: 214,
    versions: 1022,
    bytes: 1_468_006,
    seconds: 95,
    copyRegion: 'northeurope',
    lockedUntil: '2030-02-14T02:00:00Z',
    notCovered: [],
    pruned: ['mhsm-contoso-20290101020000'],
    warnings: [],
  },
  BackupFailed: {
    kind: 'BackupFailed',
    ...about,
    scheduledFor: '2030-01-15T02:00:00Z',
    attempt: 1,
    step: 'backup',
    lastGood: { backup: 'mhsm-contoso-20300114020000', takenOn: '2030-01-14T02:00:00Z' },
    failure,
  },
  BackupOverdue: {
    kind: 'BackupOverdue',
    ...about,
    freshness: {
      created: { state: 'overdue', at: '2030-01-12T02:00:00Z', days: 3.4, limit: 'P2D' },
      verified: { state: 'overdue', at: '2030-01-12T02:00:00Z', days: 3.4, limit: 'P2D' },
      proven: { state: 'ok', at: '2029-12-01T02:00:00Z', days: 45.4, limit: 'P100D' },
      summary: 'Last created 2030-01-12T02:00:00Z (overdue).',
    },
  },
  BackupHeld: {
    kind: 'BackupHeld',
    ...about,
    backups: [
      { id: 'mhsm-contoso-20290101020000', takenOn: '2029-01-01T02:00:00Z', by: 'legalHold', whole: true },
      { id: 'mhsm-contoso-20290102020000', takenOn: '2029-01-02T02:00:00Z', by: 'legalHold', whole: true },
    ],
  },
  DrillPassed: { kind: 'DrillPassed', ...drill },
  DrillFailed: {
    kind: 'DrillFailed',
    ...drill,
    result: 'failed',
    reasons: ['1 difference from the manifest that consumers would feel.'],
    nextSteps: ['Treat this backup as not restorable until the faults are cleared up.'],
  },
  DrillRefused: {
    kind: 'DrillRefused',
    ...about,
    reason: 'NoBackupInWindow',
    explanation: 'No locked backup of contoso lies within the last P30D.',
    nextStep: 'See why backups are missing or not locked, or widen drills.window.',
  },
  RestoreRequested: {
    kind: 'RestoreRequested',
    ...about,
    ...backup,
    restore: 'restore-7',
    by: 'alice@contoso.example',
    note: 'Keys were deleted by mistake.',
    until: '2030-01-15T20:00:00Z',
    preview: ['One key made since the backup is removed.', '2 role assignments are removed.'],
  },
  RestoreCompleted: {
    kind: 'RestoreCompleted',
    ...about,
    ...backup,
    restore: 'restore-7',
    by: 'alice@contoso.example',
    approvedBy: 'bob@contoso.example',
    seconds: 4980,
    compared: { keys: 214, versions: 1022 },
    critical: 0,
    warnings: 0,
    differences: [],
  },
  RestoreFailed: {
    kind: 'RestoreFailed',
    ...about,
    restore: 'restore-7',
    backup: backup.backup,
    step: 'restore',
    failure,
  },
  CustodyExpiring: {
    kind: 'CustodyExpiring',
    ...about,
    securityDomain: 'sd-1',
    certificates: [
      { subject: 'CN=custodian-1', fingerprint, holder: 'Ada', notAfter: '2030-02-01T00:00:00Z', daysLeft: 16 },
    ],
  },
  CustodyReviewDue: {
    kind: 'CustodyReviewDue',
    ...about,
    securityDomain: 'sd-1',
    overdue: false,
    dueOn: '2030-01-20T00:00:00Z',
    lastOn: '2029-10-20T00:00:00Z',
    agenda: ['See the share held by Ada in Berlin.'],
  },
  QuorumAtRisk: {
    kind: 'QuorumAtRisk',
    ...about,
    securityDomain: 'sd-1',
    state: 'atRisk',
    text: 'Two of three reachable, need two; one out of reach.',
    shares: [
      { holder: 'Ada', place: 'Berlin', reach: 'reachable', why: 'last seen 2030-01-01T00:00:00Z by Ada' },
      { reach: 'unknown', why: 'nobody is recorded as its holder' },
    ],
    singlePoints: ['Berlin'],
    nextStep: 'Bring another share within reach.',
  },
  DrillHsmRemains: {
    kind: 'DrillHsmRemains',
    ...about,
    drill: 'drill-contoso-2030',
    target: 'drill-00c0ffee00c0ffee',
    explanation: 'The identity may not delete it.',
    commands: ['az keyvault delete --hsm-name drill-00c0ffee00c0ffee --resource-group keys'],
    costPerHour: '3.42 USD',
  },
  IncidentOpened: { kind: 'IncidentOpened', ...incident, openedBy: 'detection', willDo: [] },
  IncidentRaised: { kind: 'IncidentRaised', ...incident },
  IncidentApprovalWanted: { kind: 'IncidentApprovalWanted', ...incident, steps: [waitingStep] },
  IncidentContained: {
    kind: 'IncidentContained',
    ...incident,
    result: 'partial',
    done: ['Take the role Managed HSM Crypto User at /keys/orders away from mallory@contoso.example'],
    remains: ['Take the role Managed HSM Administrator at / away from mallory@contoso.example: waits for an approval.'],
  },
  IncidentEscalated: {
    kind: 'IncidentEscalated',
    ...incident,
    circle: 'deputy',
    since: '2030-01-15T11:30:00.000Z',
    steps: [waitingStep],
  },
  IncidentClosed: {
    kind: 'IncidentClosed',
    ...incident,
    verdict: 'confirmed',
    by: 'Ana Approver',
    note: 'The account was taken over; it is disabled in Entra.',
    contained: 'full',
    keptOut: 'refused',
    report: 'incidents/contoso/incident-contoso-0123456789abcdef/round-1/report.html',
  },
  RecoveryStepWaiting: {
    kind: 'RecoveryStepWaiting',
    ...about,
    recovery: 'recovery-1',
    step: 'reWrap',
    title: 'Re-wrap the security domain offline',
    who: 'two of the share holders',
    instructions: ['Bring the file and two private keys to the offline machine.'],
    commands: ['az keyvault security-domain restore-blob --sd-file contoso.json'],
    progress: '5 of 14',
  },
};
