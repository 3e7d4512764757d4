import { type RehearsalNames, rehearsalSteps } from './rehearsal.ts';

/** Names of the steps: stored in histories, so they are added, never renamed. */
export type RecoveryStepName =
  | 'confirmLoss'
  | 'prerequisites'
  | 'assemble'
  | 'createHsm'
  | 'enterRecovery'
  | 'reWrap'
  | 'upload'
  | 'awaitActivation'
  | 'attachIdentity'
  | 'safetyBackup'
  | 'approveRestore'
  | 'restore'
  | 'verify'
  | 'repoint'
  | 'close'
  | 'approveCost'
  | 'stageBackup';

/** `automation` does it; `person` has to, and the recovery waits; `offline`: with private keys, on a machine without a network. */
export type Actor = 'automation' | 'person' | 'offline';

/** Filled into the texts; what is not known yet shows as such. */
export interface RecoveryNames {
  recovery: string;
  hsm: string;
  hsmUri: string;
  newHsm?: string;
  newHsmUri?: string;
  resourceGroup?: string;
  region?: string;
  backup?: string;
  takenOn?: string;
  /** `https://{account}…/{container}` of the copy or landing folder that is restored from. */
  container?: string;
  quorum?: number;
  holders: string[];
  administrators: string[];
  securityDomainFile?: string;
  /** Set where nothing is lost: a drill makes an HSM that it removes again. */
  rehearsal?: RehearsalNames;
}

export interface RecoveryStep {
  name: RecoveryStepName;
  title: string;
  actor: Actor;
  /** Who, by name where names are known. */
  who: string;
  what: string[];
  /** To be copied; the automation runs the same through its ports. */
  commands: string[];
  /** What shows that it is done. */
  evidence: string;
  /** Must be done before. */
  after: RecoveryStepName[];
}

export interface StepReport {
  step: RecoveryStepName;
  result: 'done' | 'failed' | 'skipped';
  by: string;
  at: string;
  evidence?: string;
  /** Digest of a person's report as it was sent: tells a repeat of it from another. */
  told?: string;
}

export interface RunbookStep extends RecoveryStep {
  state: 'done' | 'skipped' | 'failed' | 'ready' | 'blocked';
  report?: StepReport;
}

export interface Runbook {
  names: RecoveryNames;
  steps: RunbookStep[];
  /** What can go on now, in order. */
  ready: RecoveryStepName[];
  /** Steps that wait for a person. */
  waiting: RecoveryStepName[];
  done: number;
  total: number;
  complete: boolean;
}

/**
 * The steps of a recovery, filled with what is known, and how far each has come. The state is nothing but the reports, of which
 * the last one about a step counts: so it can be resumed days later from the journal alone.
 * https://learn.microsoft.com/azure/key-vault/managed-hsm/disaster-recovery-guide
 */
export function buildRunbook(names: RecoveryNames, reports: readonly StepReport[]): Runbook {
  const last = new Map(reports.map((report) => [report.step, report]));
  const table = names.rehearsal ? rehearsalSteps(names.rehearsal, recoverySteps(names)) : recoverySteps(names);
  // A step that was taken back takes back those that came after it, all the way down.
  const isOver = (name: RecoveryStepName): boolean =>
    ['done', 'skipped'].includes(last.get(name)?.result ?? '') && isOpen(table.find((step) => step.name === name));
  const isOpen = (step?: RecoveryStep): boolean => step?.after.every(isOver) ?? false;
  const steps = table.map((step): RunbookStep => {
    const report = last.get(step.name);
    const open = isOpen(step);
    // What was reported before its conditions held was not that step, unless they were taken back since: then look again.
    const state =
      report !== undefined && (open || report.result !== 'done') ? report.result : open ? 'ready' : 'blocked';
    return { ...step, state, ...(report === undefined ? {} : { report }) };
  });
  const ready = steps.filter(({ state, after }) => state === 'ready' || (state === 'failed' && after.every(isOver)));
  const over = steps.filter(({ state }) => state === 'done' || state === 'skipped');
  return {
    names,
    steps,
    ready: ready.map(({ name }) => name),
    waiting: ready.filter(({ actor }) => actor !== 'automation').map(({ name }) => name),
    done: over.length,
    total: steps.length,
    complete: over.length === steps.length,
  };
}

/**
 * Whether the same person has said just this about the step before, and nothing has changed since that would make it news. A
 * retry is answered when the app did the step meanwhile.
 */
export function isRepeat(reports: readonly StepReport[], step: RunbookStep, report: StepReport): boolean {
  const about = reports.filter((each) => each.step === report.step);
  const same = ({ by, told }: StepReport) => told !== undefined && told === report.told && by === report.by;
  const last = about.at(-1);
  if (last !== undefined && same(last)) return step.state === last.result;
  return step.actor === 'automation' && step.state === 'done' && about.some(same);
}

/** A step that may not be left out: skipping it would lose data or let a stranger in. */
const NEVER_SKIPPED: ReadonlySet<RecoveryStepName> = new Set([
  ...(['confirmLoss', 'approveRestore', 'restore', 'verify', 'approveCost'] as const),
]);

export type ReportVerdict =
  | { kind: 'accepted' }
  | { kind: 'refused'; reason: 'StepBlocked' | 'StepDone' | 'NeverSkipped' | 'EvidenceMissing'; explanation: string };

/** Whether a report about a step can be taken. */
export function judgeReport(runbook: Runbook, report: StepReport): ReportVerdict {
  const step = runbook.steps.find(({ name }) => name === report.step);
  const refuse = (
    reason: Extract<ReportVerdict, { kind: 'refused' }>['reason'],
    explanation: string,
  ): ReportVerdict => ({
    kind: 'refused',
    reason,
    explanation,
  });
  if (step === undefined || step.state === 'blocked') {
    const missing = step?.after.filter((name) => runbook.steps.some((each) => each.name === name && !isFinished(each)));
    return refuse('StepBlocked', `${report.step} comes after ${missing?.join(', ') ?? 'nothing that is known'}.`);
  }
  if (isFinished(step))
    return refuse('StepDone', `${step.title}: reported by ${step.report?.by} on ${step.report?.at}.`);
  if (report.result === 'skipped' && NEVER_SKIPPED.has(step.name)) {
    return refuse('NeverSkipped', `${step.title} cannot be skipped.`);
  }
  if (report.result === 'done' && step.actor !== 'automation' && (report.evidence ?? '').trim() === '') {
    return refuse('EvidenceMissing', `Say what shows that it is done: ${step.evidence}`);
  }
  return { kind: 'accepted' };
}

const isFinished = ({ state }: RunbookStep): boolean => state === 'done' || state === 'skipped';

/** Where an HSM of another name is found in the same cloud. */
export const uriBeside = (uri: string, name: string): string => uri.replace(/^https:\/\/[^./:]+/, `https://${name}`);

/** The table: who does what, when, and how it shows. */
function recoverySteps(names: RecoveryNames): RecoveryStep[] {
  const { hsm, holders, administrators, backup } = names;
  const newHsm = names.newHsm ?? 'NEW-HSM';
  const uri = names.newHsmUri ?? uriBeside(names.hsmUri, 'NEW-HSM');
  const group = names.resourceGroup ?? 'RESOURCE-GROUP';
  const region = names.region ?? 'REGION';
  const sdFile = names.securityDomainFile ?? 'SECURITY-DOMAIN.json';
  const keyHolders = `${names.quorum ?? 'the quorum'} of ${holders.length === 0 ? 'the share holders' : holders.join(', ')}`;
  const admin = administrators.length === 0 ? 'a Managed HSM Administrator' : administrators.join(' or ');
  const step = (
    name: RecoveryStepName,
    after: RecoveryStepName[],
    actor: Actor,
    who: string,
    title: string,
    rest: Partial<Pick<RecoveryStep, 'what' | 'commands'>> & { evidence: string },
  ): RecoveryStep => ({
    name,
    title,
    actor,
    who,
    what: rest.what ?? [],
    commands: rest.commands ?? [],
    evidence: rest.evidence,
    after,
  });
  const us = 'the automation';
  return [
    step('confirmLoss', [], 'person', 'the incident lead', `Confirm that ${hsm} is lost`, {
      what: [
        `A deleted HSM that is not purged is recovered instead: nothing is lost, and its address stays.`,
        'A region that is down may come back; an HSM that spans two regions goes on in the other.',
      ],
      commands: [
        `az keyvault list-deleted --resource-type hsm`,
        `az keyvault recover --hsm-name ${hsm} --location REGION`,
      ],
      evidence: 'who decided, and why waiting is worse',
    }),
    step('prerequisites', ['confirmLoss'], 'automation', us, 'Check what a recovery needs', {
      what: [
        'Backup, quorum, security-domain file, administrator role, region and DNS are looked at; unknown is not failed.',
      ],
      evidence: 'the list of prerequisites with what was found',
    }),
    step('assemble', ['prerequisites'], 'person', 'the incident lead', 'Bring the share holders together', {
      what: [
        `Needed: ${keyHolders}, each with the private key, and the security-domain file.`,
        'Expired wrapping certificates do not matter: their private keys open the security domain as before.',
      ],
      evidence: 'who is present, and who watches',
    }),
    step('createHsm', ['prerequisites'], 'automation', us, `Create ${newHsm} in ${region}`, {
      what: [
        'A new name: the old one may be taken until it is purged. It is not activated, and nobody downloads a new security domain.',
        'It is closed to the public network, so a private endpoint in the network of the app leads to it.',
      ],
      commands: [
        `az keyvault create --hsm-name ${newHsm} --resource-group ${group} --location ${region} --administrators OBJECT-ID --retention-days 90`,
        `az network private-endpoint create --name ${newHsm} --resource-group ${group} --subnet SUBNET-ID --private-connection-resource-id HSM-ID --group-id managedhsm --connection-name managedhsm`,
      ],
      evidence: 'the resource id of the new HSM, provisioned and not activated',
    }),
    step('enterRecovery', ['createHsm'], 'automation', us, 'Put it into recovery and fetch the exchange key', {
      what: [`The identity has to hold Managed HSM Administrator on ${newHsm}.`],
      commands: [
        `az keyvault security-domain init-recovery --hsm-name ${newHsm} --sd-exchange-key ${newHsm}-exchange.cer`,
      ],
      evidence: 'the fingerprint of the exchange key',
    }),
    step('reWrap', ['assemble', 'enterRecovery'], 'offline', keyHolders, 'Re-wrap the security domain offline', {
      what: [
        'On a machine without a network: decrypt the security domain with the private keys, and encrypt it for the exchange key.',
        'Compare the fingerprint of the exchange key with the one shown here. No private key leaves that machine; only the new blob does.',
      ],
      commands: [
        `az keyvault security-domain restore-blob --sd-exchange-key ${newHsm}-exchange.cer --sd-file ${sdFile} --sd-wrapping-keys KEY-1.pem KEY-2.pem --sd-file-restore-blob ${newHsm}-transfer.json`,
      ],
      evidence: 'who was there, and the SHA-256 of the transfer blob',
    }),
    step('upload', ['reWrap'], 'person', admin, 'Hand over the transfer blob', {
      what: ['The blob is sealed for the new HSM alone; it is uploaded once and kept nowhere.'],
      commands: [
        `az keyvault security-domain upload --hsm-name ${newHsm} --sd-exchange-key ${newHsm}-exchange.cer --sd-file ${newHsm}-transfer.json --restore-blob`,
      ],
      evidence: 'the SHA-256 of the blob that was handed over',
    }),
    step('awaitActivation', ['upload'], 'automation', us, 'Wait until the security domain is accepted', {
      evidence: 'the answer Success, and activation status Active',
    }),
    step('attachIdentity', ['createHsm'], 'automation', us, 'Attach the backup identity', {
      what: [
        'The HSM reads the backup with a user-assigned identity that holds Storage Blob Data Contributor on the account.',
      ],
      commands: [`az keyvault update-hsm --hsm-name ${newHsm} --mi-user-assigned IDENTITY-ID`],
      evidence: 'the identity on the resource',
    }),
    step('safetyBackup', ['awaitActivation', 'attachIdentity'], 'automation', us, `Back up ${newHsm}`, {
      what: ['Even an empty HSM needs a full backup before its first restore.'],
      commands: [
        `az keyvault backup start --hsm-name ${newHsm} --use-managed-identity true --storage-account-name ACCOUNT --blob-container-name CONTAINER`,
      ],
      evidence: 'the folder of the safety backup',
    }),
    step(
      'approveRestore',
      ['safetyBackup'],
      'person',
      'an approver who did not ask for it',
      `Approve the restore of ${backup ?? 'the newest backup'}`,
      {
        what: [`It puts the state of ${names.takenOn ?? 'the backup'} on ${newHsm}; what was made since is lost.`],
        evidence: 'the approval',
      },
    ),
    step('restore', ['approveRestore'], 'automation', us, 'Restore the backup', {
      what: ['While it runs the HSM answers nothing else. Either answer about the 30 minutes is waited out.'],
      commands: [
        `az keyvault restore start --hsm-name ${newHsm} --use-managed-identity true --storage-account-name ACCOUNT --blob-container-name CONTAINER --backup-folder ${backup ?? 'FOLDER'}`,
      ],
      evidence: 'the job that succeeded',
    }),
    step('verify', ['restore'], 'automation', us, 'Compare with the manifest and try the keys', {
      what: ['Every key, version, attribute, tag and role assignment; what was wrapped before must unwrap.'],
      evidence: 'the comparison and the results of the sentinels',
    }),
    step('repoint', ['verify'], 'person', 'the owner of each consumer', `Point consumers at ${uri}`, {
      what: [
        `The address is new: ${names.hsmUri} becomes ${uri}. Services with customer-managed keys need the new key address.`,
      ],
      evidence: 'every consumer of the list reported as done',
    }),
    step('close', ['repoint'], 'person', 'the incident lead', 'Close the recovery', {
      what: [
        `Look after ${newHsm} as before: policy, backups, logs, alerts. Record it in the custody ledger under the same security domain.`,
        `Decide what becomes of ${hsm}: it is billed until it is purged.`,
      ],
      evidence: 'the report, signed off',
    }),
  ];
}
