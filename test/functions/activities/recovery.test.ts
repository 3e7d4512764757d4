import { beforeEach, describe, expect, test } from 'vitest';
import { readHsmLock } from '../../../functions/activities/hsm-lock.ts';
import { recoveryActivities } from '../../../functions/activities/recovery.ts';
import { journalRecoveryRequest } from '../../../functions/activities/recovery-approvals.ts';
import {
  changeRecovery,
  createRecovery,
  readRecovery,
  reportStep,
  type StoredRecovery,
} from '../../../functions/activities/recovery-records.ts';
import type { AutomatedStep } from '../../../functions/contracts/recovery-inputs.ts';
import type { StepReport } from '../../../shared/recovery/runbook.ts';
import { createFakeLog } from '../../support/log.ts';
import { addFakeRecovery, type FakeRecovery, RUNNING, SUCCEEDED } from '../../support/recovery.ts';
import { createFakeStarter, type FakeStarter } from '../../support/starter.ts';
import { createFakeWorld, type FakeWorld } from '../../support/world.ts';

const ID = 'recover-contoso-contoso-two';
const RESOURCE = '/subscriptions/s/resourceGroups/r/providers/Microsoft.KeyVault/managedHSMs/contoso-two';
const IDENTITY = '/subscriptions/s/resourceGroups/r/providers/Microsoft.ManagedIdentity/userAssignedIdentities/backup';

const BEFORE_SAFETY = [
  ...(['confirmLoss', 'prerequisites', 'assemble', 'enterRecovery', 'reWrap', 'upload'] as const),
  ...(['awaitActivation', 'attachIdentity'] as const),
];

let world: FakeWorld;
let azure: FakeRecovery;
let starter: FakeStarter;
/** Folders in the landing container. */
let landed: string[];

beforeEach(async () => {
  world = createFakeWorld();
  world.identities.restore = { duty: 'restore', clientId: 'restore-client' };
  landed = [];
  world.backups = {
    landingContainerUrl: 'https://landing/hsm-backups',
    vault: { landingFolders: async () => landed },
  } as unknown as NonNullable<FakeWorld['backups']>;
  starter = createFakeStarter();
  azure = addFakeRecovery(world);
  const recovery: StoredRecovery = {
    ...{ schema: 1, id: ID, hsm: 'contoso', newHsm: 'contoso-two', region: 'westeurope', tenantId: 'tenant' },
    ...{ administrators: ['admin'], identities: [IDENTITY], reason: 'lost', by: 'oid-omar' },
    ...{ at: world.now.value.toISOString(), reports: [], consumers: [], answers: [] },
  };
  await journalRecoveryRequest(world, recovery);
  await createRecovery(world, recovery);
});

const { nextRecoveryStep, performRecoveryStep } = {
  nextRecoveryStep: () => recoveryActivities(world).nextRecoveryStep({ recovery: ID }),
  performRecoveryStep: (step: AutomatedStep) =>
    recoveryActivities(world).performRecoveryStep({ recovery: ID, step }, { starter, log: createFakeLog().log }),
};
const lock = () => readHsmLock(world.documents, 'contoso-two');
const stored = async () => (await readRecovery(world, ID)) as StoredRecovery;
const reported = async (step: StepReport['step'], result: StepReport['result'] = 'done', by = 'Carol') =>
  reportStep(world, await stored(), { step, result, by, at: world.now.value.toISOString(), evidence: 'seen' });
const later = (seconds: number) => {
  world.now.value = new Date(world.now.value.getTime() + seconds * 1000);
};
const provisioned = () => {
  const found = azure.made.get(RESOURCE);
  if (found) found.provisioningState = 'Succeeded';
};

async function newHsmIsThere() {
  await performRecoveryStep('createHsm');
  provisioned();
  await reached();
}

/** The endpoint is made, named, and seen to be both. */
async function reached() {
  for (const why of ['is being made', 'is being written'])
    expect(await performRecoveryStep('createHsm')).toMatchObject({ kind: 'later', why: expect.stringContaining(why) });
  expect(await performRecoveryStep('createHsm')).toEqual({ kind: 'done' });
}

describe('the next step', () => {
  test('is a person confirming the loss, before anything is touched', async () => {
    expect(await nextRecoveryStep()).toMatchObject({
      kind: 'wait',
      for: ['confirmLoss'],
      notices: [{ notice: { kind: 'RecoveryStepWaiting', step: 'confirmLoss' }, repeatAfter: 'P1D' }],
    });
    expect(azure.created).toEqual([]);
  });

  test('is the automation when it can go on while people come together', async () => {
    await reported('confirmLoss');
    await reported('prerequisites');
    expect(await nextRecoveryStep()).toEqual({ kind: 'act', step: 'createHsm' });
  });

  test('waits after a refusal, and is tried again by itself', async () => {
    await reported('confirmLoss');
    await reported('prerequisites', 'failed', 'automation');
    expect(await nextRecoveryStep()).toMatchObject({ kind: 'wait', for: ['prerequisites'] });
    later(15 * 60);
    expect(await nextRecoveryStep()).toEqual({ kind: 'act', step: 'prerequisites' });
  });

  test('is tried again at once when a person says so', async () => {
    await reported('confirmLoss');
    await reported('prerequisites', 'failed', 'automation');
    await reported('prerequisites', 'failed', 'oid-ana');
    expect(await nextRecoveryStep()).toEqual({ kind: 'act', step: 'prerequisites' });
  });
});

describe('the new HSM', () => {
  beforeEach(async () => {
    await reported('confirmLoss');
    await reported('approveRestore');
  });

  test('is created once, however often the step runs, and joins when it is provisioned', async () => {
    for (let run = 0; run < 3; run++) expect(await performRecoveryStep('createHsm')).toMatchObject({ kind: 'later' });
    expect(azure.created).toHaveLength(1);
    provisioned();
    await reached();
    expect(world.hsms.map(({ name }) => name)).toContain('contoso-two');
    expect(world.journalled.map(({ class: act }) => act)).toContain('hsm.create');
  });

  test('without a subnet waits for the private endpoint that a person makes', async () => {
    delete azure.endpoints;
    await performRecoveryStep('createHsm');
    provisioned();
    expect(await performRecoveryStep('createHsm')).toMatchObject({
      kind: 'refused',
      explanation: expect.stringContaining('MHSM_HSM_ENDPOINT'),
    });
    const network = azure.made.get(RESOURCE)?.network;
    network?.privateEndpoints.push({ id: 'by hand', status: 'Approved' });
    expect(await performRecoveryStep('createHsm')).toEqual({ kind: 'done' });
  });

  test('is refused when it has a security domain of its own', async () => {
    await performRecoveryStep('createHsm');
    provisioned();
    Object.assign(azure.made.get(RESOURCE) ?? {}, { activation: 'Active' });
    expect(await performRecoveryStep('createHsm')).toMatchObject({ kind: 'refused' });
    expect((await stored()).reports.at(-1)).toMatchObject({ step: 'createHsm', result: 'failed' });
  });

  test('is found again by another instance of the app', async () => {
    await newHsmIsThere();
    world.hsms.splice(1);
    expect(await performRecoveryStep('enterRecovery')).toEqual({ kind: 'done' });
    expect((await stored()).exchangeKey).toMatchObject({ format: 'jwk' });
  });

  test('sends the work back to the holders when it cannot open what they wrapped', async () => {
    await newHsmIsThere();
    for (const step of ['confirmLoss', 'prerequisites', 'assemble', 'enterRecovery', 'reWrap', 'upload'] as const) {
      await reported(step);
    }
    azure.progress = { kind: 'failed', details: 'wrong transfer key' };
    expect(await performRecoveryStep('awaitActivation')).toMatchObject({ kind: 'refused' });
    const waiting = await nextRecoveryStep();
    expect(waiting).toMatchObject({ kind: 'act' });
    expect((await stored()).reports.filter(({ step }) => step === 'upload').at(-1)).toMatchObject({ result: 'failed' });
  });

  test('belongs to the security domain of the lost one once it is active', async () => {
    await newHsmIsThere();
    azure.progress = { kind: 'succeeded' };
    Object.assign(azure.made.get(RESOURCE) ?? {}, { activation: 'Active' });
    expect(await performRecoveryStep('awaitActivation')).toEqual({ kind: 'done' });
    expect(world.stored.get('state/custody/contoso-two/lineage.json')?.text).toContain('security domain of contoso');
  });
});

describe('the jobs', () => {
  beforeEach(async () => {
    await reported('confirmLoss');
    await reported('approveRestore');
    await newHsmIsThere();
  });

  test('are sent once and followed to their end', async () => {
    azure.readings = [RUNNING, SUCCEEDED];
    for (let run = 0; run < 2; run++)
      expect(await performRecoveryStep('safetyBackup')).toMatchObject({ kind: 'later' });
    expect(await performRecoveryStep('safetyBackup')).toEqual({ kind: 'done' });
    expect(azure.sent).toEqual(['backup contoso-two']);
    expect((await stored()).safety).toMatchObject({ jobId: 'job-1', completedOn: world.now.value.toISOString() });
  });

  test('wait for one another on a busy HSM', async () => {
    azure.starts = [{ kind: 'busy', code: 'Conflict', reason: 'another job runs' }];
    expect(await performRecoveryStep('safetyBackup')).toMatchObject({ kind: 'later', why: 'another job runs' });
    later(60);
    await performRecoveryStep('safetyBackup');
    expect(await performRecoveryStep('safetyBackup')).toEqual({ kind: 'done' });
  });

  test('are not sent again while a lost reply may still take effect', async () => {
    azure.starts = [{ kind: 'unknown', reason: 'connection reset' }];
    await performRecoveryStep('safetyBackup');
    later(10);
    expect(await performRecoveryStep('safetyBackup')).toMatchObject({ kind: 'later' });
    expect(azure.sent).toHaveLength(1);
  });

  test('are not sent again when the landing container shows that the lost one took effect', async () => {
    azure.starts = [{ kind: 'unknown', reason: 'connection reset' }];
    await performRecoveryStep('safetyBackup');
    landed = ['mhsm-contoso-two-2030010100000500'];
    later(30);
    expect(await performRecoveryStep('safetyBackup')).toEqual({ kind: 'done' });
    expect(azure.sent).toHaveLength(1);
    expect((await stored()).reports.at(-1)?.evidence).toBe('mhsm-contoso-two-2030010100000500');
  });

  test('are taken for the lost one that still runs when the HSM is busy', async () => {
    azure.starts = [
      { kind: 'unknown', reason: 'connection reset' },
      { kind: 'busy', code: 'Conflict', reason: 'a job runs' },
    ];
    await performRecoveryStep('safetyBackup');
    later(30);
    expect(await performRecoveryStep('safetyBackup')).toMatchObject({ kind: 'later', why: 'a job runs' });
    landed = ['mhsm-contoso-two-2030010100000500'];
    later(60);
    expect(await performRecoveryStep('safetyBackup')).toEqual({ kind: 'done' });
    expect(azure.sent).toHaveLength(2);
  });

  test('are given up when every reply is lost and nothing comes of them, and begin anew', async () => {
    azure.starts = Array.from({ length: 3 }, () => ({ kind: 'unknown', reason: 'connection reset' }));
    for (let send = 0; send < 3; send++) {
      expect(await performRecoveryStep('safetyBackup')).toMatchObject({ kind: 'later' });
      later(30);
    }
    expect(await performRecoveryStep('safetyBackup')).toMatchObject({ kind: 'refused' });
    expect(azure.sent).toHaveLength(3);
    await performRecoveryStep('safetyBackup');
    expect(await performRecoveryStep('safetyBackup')).toEqual({ kind: 'done' });
  });

  test('that failed are sent anew when the step is tried again', async () => {
    azure.readings = [{ kind: 'failed', cause: 'refused', reason: 'no access', job: SUCCEEDED.job }];
    await performRecoveryStep('safetyBackup');
    expect(await performRecoveryStep('safetyBackup')).toMatchObject({ kind: 'refused' });
    await performRecoveryStep('safetyBackup');
    expect(await performRecoveryStep('safetyBackup')).toEqual({ kind: 'done' });
    expect(azure.sent).toHaveLength(2);
  });

  test('hold the lock of the new HSM until they end, and wait for whoever has it', async () => {
    const theirs = { schema: 1, kind: 'backup', since: world.now.value.toISOString(), holder: 'backup-1' };
    await world.documents.put('state', 'locks/contoso-two.json', theirs);
    starter.instances.set('backup-1', 'running');
    expect(await performRecoveryStep('safetyBackup')).toMatchObject({ kind: 'later', why: 'waiting for backup-1' });
    expect(azure.sent).toEqual([]);
    starter.instances.set('backup-1', { kind: 'backedUp' });
    await performRecoveryStep('safetyBackup');
    expect(await lock()).toMatchObject({ holder: ID, kind: 'backup' });
    await performRecoveryStep('safetyBackup');
    expect(await lock()).toBeUndefined();
  });

  test('of a restore wait out what the service says about the 30 minutes', async () => {
    const completedOn = world.now.value.toISOString();
    const safety = { sentOn: completedOn, jobId: 'job-1', completedOn };
    await changeRecovery(world, ID, (recovery) => ({ ...recovery, backup: 'mhsm-contoso-2030010100000000', safety }));
    await reported('approveRestore');
    azure.starts = [{ kind: 'tooSoon', code: 'Conflict', reason: 'at least 30 minutes' }];
    expect(await performRecoveryStep('restore')).toMatchObject({ kind: 'later', why: 'at least 30 minutes' });
    const waited = await performRecoveryStep('restore');
    if (waited.kind !== 'later') throw new Error(`the restore is ${waited.kind}`);
    expect(Date.parse(waited.until) - Date.parse(completedOn)).toBeGreaterThanOrEqual(30 * 60_000);
    world.now.value = new Date(waited.until);
    await performRecoveryStep('restore');
    expect(await performRecoveryStep('restore')).toEqual({ kind: 'done' });
    expect(azure.sent.filter((each) => each.startsWith('restore'))).toHaveLength(2);
  });

  test('take a new safety backup when the service says that the last is too old', async () => {
    const completedOn = world.now.value.toISOString();
    const safety = { sentOn: completedOn, jobId: 'job-1', completedOn };
    await changeRecovery(world, ID, (recovery) => ({ ...recovery, backup: 'mhsm-contoso-2030010100000000', safety }));
    await reported('approveRestore');
    azure.starts = [{ kind: 'tooLate', code: 'Conflict', reason: 'within 30 minutes' }];
    await performRecoveryStep('restore');
    expect(await performRecoveryStep('restore')).toMatchObject({ kind: 'later' });
    const { safety: after, reports } = await stored();
    expect(after).toBeUndefined();
    expect(reports.at(-1)).toMatchObject({ step: 'safetyBackup', result: 'failed' });
  });

  test('take that safety backup next and at once, and go on with the restore that was approved', async () => {
    const completedOn = world.now.value.toISOString();
    const safety = { sentOn: completedOn, jobId: 'job-1', completedOn };
    await changeRecovery(world, ID, (recovery) => ({ ...recovery, backup: 'mhsm-contoso-2030010100000000', safety }));
    await reported('approveRestore');
    for (const step of [...BEFORE_SAFETY, 'safetyBackup', 'approveRestore'] as const) await reported(step);
    azure.starts = [{ kind: 'tooLate', code: 'Conflict', reason: 'within 30 minutes' }];
    await performRecoveryStep('restore');
    await performRecoveryStep('restore');
    expect(await nextRecoveryStep()).toEqual({ kind: 'act', step: 'safetyBackup' });
    await performRecoveryStep('safetyBackup');
    expect(await performRecoveryStep('safetyBackup')).toEqual({ kind: 'done' });
    expect(await nextRecoveryStep()).toEqual({ kind: 'act', step: 'restore' });
  });

  test('leave one report in the journal when the app dies between writing it and storing it', async () => {
    for (const step of BEFORE_SAFETY) await reported(step);
    await performRecoveryStep('safetyBackup');
    world.onWrite.before = (path) => {
      const done = world.journalled.some(({ detail }) => detail?.step === 'safetyBackup');
      if (path.endsWith('recovery.json') && done) throw new Error('killed');
    };
    await expect(performRecoveryStep('safetyBackup')).rejects.toThrow('killed');
    delete world.onWrite.before;
    later(5);
    for (let run = 0; run < 2; run++) expect(await performRecoveryStep('safetyBackup')).toEqual({ kind: 'done' });
    const ids = world.journalled.flatMap(({ id, detail }) => (detail?.step === 'safetyBackup' ? [id] : []));
    expect(new Set(ids).size).toBe(1);
    expect((await stored()).reports.filter(({ step }) => step === 'safetyBackup')).toHaveLength(1);
    expect(await lock()).toBeUndefined();
  });
});

describe('an approval that the journal does not hold', () => {
  /** Puts a report into the store, as whoever can write there can. */
  const forge = (step: StepReport['step']) =>
    changeRecovery(world, ID, (recovery) => {
      const report = { step, result: 'done', by: 'oid-ana', at: world.now.value.toISOString(), evidence: 'x' } as const;
      return { ...recovery, reports: [...recovery.reports, report] };
    });
  const journal = { kind: 'refused', explanation: expect.stringContaining('journal') };
  const safe = () =>
    changeRecovery(world, ID, (recovery) => {
      const completedOn = world.now.value.toISOString();
      return { ...recovery, backup: 'mhsm-contoso-2030010100000000', safety: { sentOn: completedOn, completedOn } };
    });

  test('makes no HSM', async () => {
    await forge('confirmLoss');
    expect(await performRecoveryStep('createHsm')).toMatchObject(journal);
    expect(azure.created).toEqual([]);
  });

  test('of another region than is stored now makes no HSM', async () => {
    await reported('confirmLoss');
    await changeRecovery(world, ID, (recovery) => ({ ...recovery, region: 'elsewhere' }));
    expect(await performRecoveryStep('createHsm')).toMatchObject(journal);
    expect(azure.created).toEqual([]);
  });

  test('of whoever asked makes no HSM', async () => {
    await reported('confirmLoss', 'done', 'OID-OMAR');
    expect(await performRecoveryStep('createHsm')).toMatchObject({ kind: 'refused' });
    expect(azure.created).toEqual([]);
  });

  test.each([
    ['names somebody else than who asked', { by: 'oid-somebody' }],
    ['names other administrators than were asked for', { administrators: ['mallory'] }],
    [
      'was made a rehearsal, whose approval is of a cost',
      { rehearsal: { drill: 'd', softDeleteDays: 7, until: '', cost: [] } },
    ],
  ])('is none where the stored recovery %s, though it was approved as it is', async (_, changed) => {
    await changeRecovery(world, ID, (recovery) => ({ ...recovery, ...changed }));
    await reported('rehearsal' in changed ? 'approveCost' : 'confirmLoss', 'done', 'oid-omar-two');
    expect(await performRecoveryStep('createHsm')).toMatchObject(journal);
    expect(azure.created).toEqual([]);
  });

  test('restores nothing, nor does one that was of another backup', async () => {
    await reported('confirmLoss');
    await newHsmIsThere();
    await safe();
    await forge('approveRestore');
    expect(await performRecoveryStep('restore')).toMatchObject(journal);
    await reported('approveRestore');
    await changeRecovery(world, ID, (recovery) => ({ ...recovery, backup: 'mhsm-contoso-2020010100000000' }));
    expect(await performRecoveryStep('restore')).toMatchObject(journal);
    expect(azure.sent).toEqual([]);
    await safe();
    expect(await performRecoveryStep('restore')).toMatchObject({ kind: 'later' });
    expect(azure.sent).toHaveLength(1);
  });
});
