import { startEstate } from '../estate-run.ts';
import type { EstateHsm } from '../hsm-fleet.ts';
import { createDamage, type Damage } from './damage.ts';
import { theJournalIsUnbroken } from './journal.ts';
import { createObserver, MORNING, type Observer } from './observer.ts';
import type { Story } from './story.ts';

interface Scene {
  story: Story;
  look: Observer;
  hsm: EstateHsm;
  damage: Damage;
}

/**
 * An HSM is damaged and put back from its backup, with everything that must stand in the way: a preview, a typed name, another
 * person, a safety backup, the 30-minute rule; then a host that dies in between, and one purged key alone.
 */
export async function restore(story: Story): Promise<void> {
  const estate = await story.step('The embedded estate boots with the demo keys', async (say) => {
    const running = await startEstate({ seed: 'demo', port: 0, startAt: MORNING, purgeProtection: false });
    say('The identity that restores holds its role; nobody else can start a restore.');
    return running;
  });
  const look = createObserver(estate);
  try {
    const hsm = estate.hsms.find(({ name }) => name === 'contoso');
    if (!hsm) throw new Error('the estate has no HSM contoso');
    const scene = { story, look, hsm, damage: createDamage(look, hsm) };
    const good = await aBackupIsTaken(scene);
    await damageIsDone(scene);
    await thePreviewTellsIt(scene, good);
    await theGuardStandsInTheWay(scene, good);
    await theHsmIsRestored(scene, good);
    await oneKeyComesBack(scene, good);
    await theJournalIsUnbroken(scene.story, scene.look);
  } finally {
    await estate.stop();
  }
}

async function aBackupIsTaken({ story, look }: Scene): Promise<string> {
  return story.step('An operator takes a backup; asking twice is asking once', async (say) => {
    const before = look.calls('contoso', 'BackupCreate', 202);
    const asked = {
      as: 'operator',
      body: { hsm: 'contoso', reason: 'before the migration' },
      idempotencyKey: 'change-2201-backup',
    } as const;
    const first = await look.api('POST', '/api/backups', asked);
    await look.api('POST', '/api/backups', asked);
    story.claim(first.status === 202, `accepted, not ${first.status}`);
    await look.settled();
    story.claim(look.calls('contoso', 'BackupCreate', 202) === before + 1, 'one job for two requests');
    const { body } = await look.api('GET', '/api/backups', { as: 'viewer' });
    const [newest] = (body as { backups: { id: string; hsm: string; state: string; keys: number }[] }).backups.filter(
      ({ hsm }) => hsm === 'contoso',
    );
    if (newest?.state !== 'locked') throw new Error(`no locked backup: ${JSON.stringify(body)}`);
    say(`${newest.id}: ${newest.keys} keys, copied, verified and locked.`);
    return newest.id;
  });
}

const ROTATED = ['ehr-notes', 'aks-etcd-prod'];
const PURGED = 'payments-hsm-transport';

async function damageIsDone({ story, look, damage }: Scene): Promise<void> {
  await story.step('Then somebody does damage', async (say) => {
    look.advance(5_000);
    for (const key of ROTATED) await damage.rotate(key);
    await damage.create('backdoor');
    await damage.remove(PURGED);
    await damage.purge(PURGED);
    await damage.grant('consumer', 'Managed HSM Crypto Officer');
    say(`${ROTATED.join(' and ')} rotated, ${PURGED} deleted and purged, a key and a role assignment added.`);
  });
}

async function thePreviewTellsIt({ story, look }: Scene, backup: string): Promise<void> {
  await story.step('A dry run says what a restore would do', async (say) => {
    const { status, body } = await look.api('POST', '/api/restores?dryRun=true', {
      as: 'operator',
      body: { hsm: 'contoso', backup, reason: 'damage by an intruder' },
    });
    story.claim(status === 200, `a plan, not ${JSON.stringify(body)}`);
    const { preview, verdict } = body as { preview: Preview; verdict: { kind: string } };
    for (const line of preview.summary) say(line);
    story.claim(
      preview.removed.some(({ name }) => name === 'backdoor'),
      'the added key would go',
    );
    story.claim(preview.recreated.includes(PURGED), 'the purged key would come back');
    story.claim(
      ROTATED.every((key) =>
        preview.rolledBack.some(({ name, versionsLost }) => name === key && versionsLost.length === 1),
      ),
      'the later versions would be lost',
    );
    story.claim(preview.assignmentsRemoved.length === 1, 'the added role assignment would go');
    story.claim(verdict.kind === 'awaitApproval', 'and somebody else would have to approve it');
    const { body: all } = await look.api('GET', '/api/restores', { as: 'viewer' });
    story.claim((all as { restores: unknown[] }).restores.length === 0, 'nothing was asked for');
  });
  story.proven('Before anything happens, a restore says what it would remove, roll back and bring back.');
}

async function theGuardStandsInTheWay({ story, look }: Scene, backup: string): Promise<void> {
  await story.step('What is asked for wrongly is refused', async (say) => {
    const asked = { hsm: 'contoso', backup, reason: 'damage by an intruder', confirm: 'fabrikam' };
    const wrong = await look.api('POST', '/api/restores', { as: 'operator', body: asked });
    story.claim(wrong.status === 400, 'another name than that of the HSM was typed');
    say((wrong.body as { detail: string }).detail);
    const key = { ...asked, confirm: 'contoso', key: 'ehr-notes' };
    const active = await look.api('POST', '/api/restores', { as: 'operator', body: key });
    story.claim(active.status === 409, 'a key that is there is not restored over');
    say((active.body as { detail: string }).detail);
    const viewer = await look.api('POST', '/api/restores', { as: 'approver', body: { ...asked, confirm: 'contoso' } });
    story.claim(viewer.status === 403, 'an approver may not ask');
  });
  await story.step('Whoever asks cannot approve; another person can say no', async (say) => {
    const body = { hsm: 'contoso', backup, reason: 'damage by an intruder', confirm: 'contoso' };
    const { decision, location } = await ask(look, 'manager', body);
    const own = await look.api('POST', decision, { as: 'manager', body: { decision: 'approve' } });
    story.claim(own.status === 403, `self-approval is refused, not ${own.status}`);
    say((own.body as { detail: string }).detail);
    const no = await look.api('POST', decision, {
      as: 'approver',
      body: { decision: 'reject', note: 'ask Legal first' },
    });
    story.claim(no.status === 202, 'rejected');
    const outcome = (await look.operation(location)) as { kind: string; reason?: string };
    story.claim(outcome.reason === 'ApprovalDenied', `it ended as denied, not ${JSON.stringify(outcome)}`);
    const late = await look.api('POST', decision, { as: 'approver', body: { decision: 'approve' } });
    story.claim(late.status === 409, 'and nobody can approve it any more');
    await look.settled();
    story.claim(look.calls('contoso', 'RestoreCreate', 202) === 0, 'no restore was started');
  });
  story.proven('A restore takes the typed name, and another person than the one who asks.');
}

async function theHsmIsRestored({ story, look, hsm }: Scene, backup: string): Promise<void> {
  await story.step(
    'Approved by another person, under the 30-minute rule, with the host killed meanwhile',
    async (say) => {
      Object.assign(hsm.backups.readings, { thirtyMinuteRule: 'within30', thirtyMinuteRefusal: 'failedJob' });
      const body = { hsm: 'contoso', backup, reason: 'damage by an intruder', confirm: 'contoso' };
      const { decision, location, id } = await ask(look, 'operator', body);
      const told = () => look.mail().filter(({ text }) => text.includes(id));
      await look.until(() => told().length > 0, 'the approvers to be told');
      say(`mail: ${told()[0]?.subject}`);
      const safetyBefore = look.calls('contoso', 'BackupCreate', 202);
      await look.api('POST', decision, { as: 'approver', body: { decision: 'approve', note: 'confirmed by phone' } });
      const hasBegun = () => look.calls('contoso', 'BackupCreate', 202) > safetyBefore;
      await look.eventually(hasBegun, 'the safety backup to begin');
      // The other reading of the rule comes into force: what is young enough for one is too young for the other.
      Object.assign(hsm.backups.readings, { thirtyMinuteRule: 'atLeast30' });
      // Earlier backups would satisfy it; the estate is to judge by the safety backup alone.
      hsm.backups.load({ ...(hsm.backups.save() as object), completed: [] });
      for (let kill = 1; kill <= 4; kill++) {
        await look.pause(150 + kill * 120);
        look.advance(20_000);
        await look.killHost();
      }
      const outcome = (await look.operation(location)) as unknown as Outcome;
      story.claim(outcome.kind === 'restored', `restored, not ${JSON.stringify(outcome)}`);
      story.claim(look.calls('contoso', 'RestoreCreate', 202) === 1, 'exactly one restore job was started');
      story.claim(
        outcome.findings.critical === 0,
        `nothing critical differs: ${outcome.findings.differences.join('; ')}`,
      );
      const { compared } = outcome.findings;
      say(
        `killed 4 times; ${compared.keys} keys, ${compared.versions} versions and ${compared.roleAssignments} role assignments are as the manifest says.`,
      );
      await look.settled();
    },
  );
  await story.step('The HSM holds what the backup holds, and the report says so', async (say) => {
    const names = new Set(hsm.keys().keys.map(({ name }) => name));
    story.claim(!names.has('backdoor'), 'the added key is gone');
    story.claim(names.has(PURGED), 'the purged key is back');
    story.claim(look.events('RestoreCompleted').length > 0, 'it was published');
    const { body } = await look.api('GET', '/api/restores', { as: 'auditor' });
    const [newest] = (body as { restores: { id: string; status: string }[] }).restores;
    const { body: shown } = await look.api('GET', `/api/restores/${newest?.id}`, { as: 'auditor' });
    const { report } = shown as {
      report: { comparison: { kind: string; differences: unknown[] }; safetyBackup?: string };
    };
    story.claim(
      report.comparison.kind === 'same',
      `everything compares equal: ${JSON.stringify(report.comparison.differences)}`,
    );
    story.claim(report.safetyBackup !== undefined, 'what was there before was backed up');
    say(`evidence: restores/${newest?.id}/report.html; safety backup ${report.safetyBackup}`);
  });
  story.proven('An HSM was put back from its verified copy by exactly one job, and compared key by key.');
  story.proven('The 30-minute rule is waited out in either reading; a crash at any moment changes nothing.');
}

async function oneKeyComesBack({ story, look, hsm, damage }: Scene, backup: string): Promise<void> {
  await story.step('One key is deleted and purged, and comes back alone with all its versions', async (say) => {
    const versions = look.versions().get(`contoso/${PURGED}`);
    await damage.remove(PURGED);
    const body = { hsm: 'contoso', backup, key: PURGED, reason: 'purged by mistake', confirm: 'contoso' };
    const early = await look.api('POST', '/api/restores', { as: 'operator', body });
    story.claim(early.status === 409, 'a key that is only deleted is recovered instead');
    say((early.body as { nextStep: string }).nextStep);
    await damage.purge(PURGED);
    const { decision, location } = await ask(look, 'operator', body);
    await look.api('POST', decision, { as: 'approver', body: { decision: 'approve' } });
    const outcome = (await look.operation(location)) as unknown as Outcome;
    story.claim(outcome.kind === 'restored', `restored, not ${JSON.stringify(outcome)}`);
    story.claim(outcome.findings.critical === 0, `it is as it was: ${outcome.findings.differences.join('; ')}`);
    story.claim(look.versions().get(`contoso/${PURGED}`) === versions, 'with all its versions');
    say(`${PURGED}: ${versions} versions. ${hsm.keys().keys.length} keys on the HSM, none other was touched.`);
    await look.settled();
  });
  story.proven('A purged key comes back from the full backup alone.');
}

interface Preview {
  summary: string[];
  removed: { name: string }[];
  recreated: string[];
  rolledBack: { name: string; versionsLost: string[] }[];
  assignmentsRemoved: unknown[];
}

interface Outcome {
  kind: string;
  findings: {
    critical: number;
    differences: string[];
    compared: { keys: number; versions: number; roleAssignments: number };
  };
}

async function ask(look: Observer, as: 'operator' | 'manager', body: unknown) {
  const reply = await look.api('POST', '/api/restores', { as, body });
  if (reply.status !== 202) throw new Error(`not accepted: ${reply.status} ${JSON.stringify(reply.body)}`);
  const { id, decision } = reply.body as { id: string; decision: string };
  return { id, decision, location: reply.headers.location ?? '' };
}
