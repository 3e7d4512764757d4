import type { RecoveryStep, RecoveryStepName } from './runbook.ts';

/** What the runbook of a rehearsal says beside that of a recovery. */
export interface RehearsalNames {
  drill: string;
  /** The HSM that is made, and its retention once it is deleted. */
  newHsm: string;
  softDeleteDays: number;
  resourceGroup?: string;
  region: string;
  /** What it costs, and what may make it dearer. */
  cost: string[];
  /** ISO instant at which the drill stops to wait for people. */
  until: string;
}

/** What comes before each step. Nothing is made, and so nothing is billed, before the holders are together. */
const AFTER: Partial<Record<RecoveryStepName, RecoveryStepName[]>> = {
  approveCost: [],
  prerequisites: ['approveCost'],
  assemble: ['prerequisites'],
  createHsm: ['assemble'],
  enterRecovery: ['createHsm'],
  attachIdentity: ['createHsm'],
  reWrap: ['enterRecovery'],
  upload: ['reWrap'],
  awaitActivation: ['upload'],
  safetyBackup: ['awaitActivation', 'attachIdentity'],
  stageBackup: ['safetyBackup'],
  restore: ['stageBackup'],
};

/**
 * The steps of a recovery that a drill on a temporary HSM walks as well: nothing is lost and nobody is pointed elsewhere, so
 * one approval, of the cost, stands for the loss and for the restore of an HSM that holds nothing.
 */
export function rehearsalSteps(names: RehearsalNames, recovery: readonly RecoveryStep[]): RecoveryStep[] {
  const { newHsm, region, softDeleteDays, until, cost } = names;
  const group = names.resourceGroup ?? 'RESOURCE-GROUP';
  const reWrap = recovery.find(({ name }) => name === 'reWrap');
  const waits = `The drill waits until ${until}; then it ends undecided, and removes what it made.`;
  const changed: Partial<Record<RecoveryStepName, Partial<RecoveryStep>>> = {
    approveCost: {
      ...{ name: 'approveCost', actor: 'person', who: 'an approver who did not ask for it', commands: [] },
      title: `Approve the cost of ${newHsm}`,
      what: [
        `The drill makes ${newHsm} in ${region}, restores the backup to it, and deletes it again.`,
        ...cost,
        `It has no purge protection, and stays soft-deleted for ${softDeleteDays} days. ${waits}`,
      ],
      evidence: 'the approval',
    },
    // Whoever holds a share is named in the very first call, because people have to travel.
    assemble: { who: reWrap?.who ?? 'the share holders', what: [...whatOf(recovery, 'assemble'), waits] },
    createHsm: {
      what: [
        'It is tagged with the drill, has no purge protection, and is deleted when the drill ends, however it ends.',
      ],
      commands: [
        `az keyvault create --hsm-name ${newHsm} --resource-group ${group} --location ${region} --administrators OBJECT-ID --retention-days ${softDeleteDays}`,
      ],
    },
    reWrap: { what: [...whatOf(recovery, 'reWrap'), waits] },
    stageBackup: {
      ...{ name: 'stageBackup', actor: 'automation', who: 'the automation', commands: [] },
      title: 'Read the verified copy, and lay it where the HSM can read it',
      what: ['Every blob of the copy in the vault is hashed against the sealed manifest.'],
      evidence: 'the number of blobs that are as they were sealed',
    },
  };
  return (Object.keys(AFTER) as RecoveryStepName[]).flatMap((name) => {
    const step = { ...recovery.find((each) => each.name === name), ...changed[name], after: AFTER[name] ?? [] };
    return isStep(step) ? [step] : [];
  });
}

const whatOf = (steps: readonly RecoveryStep[], wanted: RecoveryStepName): string[] =>
  steps.find(({ name }) => name === wanted)?.what ?? [];

const isStep = (step: Partial<RecoveryStep>): step is RecoveryStep =>
  step.name !== undefined && step.title !== undefined && step.actor !== undefined;
