import type { EstateHsm } from '../estate-hsm.ts';
import { startEstate } from '../estate-run.ts';
import { IDENTITIES, TENANT_ID } from '../identity/registrations.ts';
import { type Holders, holdDomain, wrapFor } from './holders.ts';
import { theJournalIsUnbroken } from './journal.ts';
import { createObserver, MORNING, type Observer } from './observer.ts';
import type { Story } from './story.ts';

const LOST = 'contoso';
const NEW = 'contoso-two';
const ID = `recover-${LOST}-${NEW}`;
const BACKUP_IDENTITY =
  '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-keys/providers/Microsoft.ManagedIdentity/userAssignedIdentities/backup';

/**
 * An HSM is lost with its region. The holders of its security domain come together, a new HSM takes it over, and the newest
 * backup brings every key back, while the host dies twice and people take their days.
 */
export async function recovery(story: Story): Promise<void> {
  const estate = await story.step('The embedded estate boots with the demo keys', async (say) => {
    const running = await startEstate({ seed: 'demo', port: 0, startAt: MORNING, settings: SETTINGS });
    say(`${running.hsms.length} HSMs, each with a security domain of its own.`);
    return running;
  });
  try {
    await recoverOn(story, createObserver(estate));
  } finally {
    await estate.stop();
  }
}

/** The lost HSM is not asked again and again meanwhile: each time the SDK waits for seconds that no clock moves. */
const SETTINGS = {
  'AzureWebJobs.backupWatchTimer.Disabled': 'true',
  'AzureWebJobs.expirySweepTimer.Disabled': 'true',
  'AzureWebJobs.policyReconcileTimer.Disabled': 'true',
};

/** The story on an estate that is up. */
export async function recoverOn(story: Story, look: Observer): Promise<void> {
  const lost = hsmNamed(look, LOST);
  const holders = await theLedgerKnowsTheHolders(story, look);
  const versions = await theClockTakesABackup(story, look, lost);
  await theHsmIsLost(story, look);
  await anotherPersonConfirms(story, look);
  await theHoldersWrapTheDomain(story, look, holders);
  await theBackupComesBack(story, look, versions);
  await theConsumersMove(story, look);
  await theJournalIsUnbroken(story, look);
}

async function theLedgerKnowsTheHolders(story: Story, look: Observer): Promise<Holders> {
  const holders = await story.step(
    'Three people hold the shares of the security domain; two are needed',
    async (say) => {
      const held = await holdDomain(look, [LOST]);
      const { body } = await look.api('GET', '/api/custody', { as: 'auditor' });
      const { hsms } = body as { hsms: { hsm: string; quorum: { state: string; text: string } }[] };
      const quorum = hsms.find(({ hsm }) => hsm === LOST)?.quorum;
      story.claim(quorum?.state === 'safe', `the quorum is safe, not ${JSON.stringify(quorum)}`);
      say(quorum?.text ?? '');
      return held;
    },
  );
  await story.step('A private key that is sent by mistake is refused', async (say) => {
    const [pem] = holders.privateKeysPem;
    const { status, body } = await look.api('POST', `/api/custody/${LOST}/certificates`, {
      as: 'operator',
      body: { pem },
    });
    story.claim(status === 422, `it is refused, not answered with ${status}`);
    say((body as { detail: string }).detail);
  });
  story.proven('The custody ledger knows certificates, holders and places, and takes no private key.');
  return holders;
}

/** Every version that was there before it, `key/version`. */
async function theClockTakesABackup(story: Story, look: Observer, lost: EstateHsm): Promise<Set<string>> {
  return story.step('The schedule takes a backup, copies, verifies and locks it', async (say) => {
    const before = versionsOf(lost);
    await look.run('backupWatchTimer');
    story.claim(look.events('BackupCompleted').length > 0, 'there is a verified backup');
    say(`${look.events('BackupCompleted').length} backups, proven byte for byte.`);
    return before;
  });
}

async function theHsmIsLost(story: Story, look: Observer): Promise<void> {
  await story.step('The HSM is lost; an operator asks for its recovery', async (say) => {
    await look.estate.fleet.remove(LOST);
    const { id } = await post<{ id: string }>(look, '/api/recoveries', {
      ...{ hsm: LOST, newHsm: NEW, region: 'westeurope', tenantId: TENANT_ID },
      administrators: [IDENTITIES.administrator.objectId, IDENTITIES.restore.objectId],
      identities: [BACKUP_IDENTITY],
      reason: 'the region is gone',
    });
    story.claim(id === ID, `the recovery is ${ID}, not ${id}`);
    const seen = await reaches(look, 'confirmLoss');
    story.claim(!look.estate.hsms.some(({ name }) => name === NEW), 'nothing is made before the loss is confirmed');
    say(`Its keys are out of reach. ${seen.progress} steps over; it waits for ${seen.waitingFor.join(', ')}.`);
  });
}

async function anotherPersonConfirms(story: Story, look: Observer): Promise<void> {
  await story.step(
    'Only another person may confirm the loss; then the app works, and is killed meanwhile',
    async (say) => {
      const path = `/api/recoveries/${ID}/steps/confirmLoss`;
      const own = await look.api('POST', path, { as: 'operator', body: { evidence: 'I say so' } });
      story.claim(own.status === 403, `who asked cannot approve, not ${own.status}`);
      await report(look, 'confirmLoss', { evidence: 'the data centre burnt down' }, 'approver');
      await look.killHost();
      const seen = await reaches(look, 'assemble', ({ exchangeKey }) => exchangeKey !== null);
      story.claim(look.estate.fleet.hsms.filter(({ name }) => name === NEW).length === 1, 'one new HSM was made');
      for (const { state, title, found } of seen.prerequisites ?? []) say(`[${state}] ${title}: ${found}`);
      say(`${NEW} is in recovery; the exchange key has the fingerprint ${seen.exchangeKey?.fingerprint}.`);
      await look.until(
        () =>
          look
            .mail()
            .some(({ subject }) => subject.includes(LOST) && subject.includes('Bring the share holders together')),
        'the mail that calls the holders',
      );
    },
  );
  story.proven('A recovery begins only when another person confirms the loss, and survives the death of the host.');
}

async function theHoldersWrapTheDomain(story: Story, look: Observer, holders: Holders): Promise<void> {
  await story.step('Three days later two holders wrap the security domain, offline, and hand it over', async (say) => {
    look.advance(3 * 86_400_000);
    await report(look, 'assemble', { evidence: 'Ada and Edsger are present, Barbara watches' });
    const blob = await wrapFor(look, holders, ID);
    await report(look, 'reWrap', { evidence: 'by Ada and Edsger, fingerprint compared' });
    await report(look, 'upload', { evidence: 'from the offline machine', blob });
    const seen = await reaches(look, 'approveRestore');
    say(`The HSM took the security domain, and was backed up; it waits for ${seen.waitingFor.join(', ')}.`);
  });
  story.proven('A quorum opens the security domain offline; the app sees ciphertext only, and keeps none of it.');
}

async function theBackupComesBack(story: Story, look: Observer, versions: Set<string>): Promise<void> {
  await story.step('The restore is approved; what the service wants of the 30 minutes is waited out', async (say) => {
    await report(look, 'approveRestore', { evidence: 'the newest backup is the right one' }, 'approver');
    await look.pause(300);
    await look.killHost();
    const seen = await reaches(look, 'repoint');
    const restored = versionsOf(hsmNamed(look, NEW));
    const missing = [...versions].filter((version) => !restored.has(version));
    story.claim(missing.length === 0, `every version is back; missing: ${missing.join(', ')}`);
    const verified = seen.runbook.steps.find(({ name }) => name === 'verify')?.report?.evidence;
    say(`All ${versions.size} versions are back: ${verified}`);
  });
  story.proven('Every key of the lost HSM is on the new one, compared with the sealed manifest.');
}

async function theConsumersMove(story: Story, look: Observer): Promise<void> {
  await story.step('The consumers are pointed at the new HSM, one by one', async (say) => {
    const before = (await show(look)).consumers;
    story.claim((before?.tasks.length ?? 0) > 0, 'the tags of the keys name consumers');
    for (const { consumer, key } of before?.tasks ?? []) await report(look, 'repoint', { consumer: { consumer, key } });
    const after = (await show(look)).consumers;
    story.claim(after?.done === after?.total, 'each is marked as done');
    say(after?.text ?? '');
    await report(look, 'repoint', { evidence: 'all owners confirmed' });
    await report(look, 'close', { evidence: 'signed off' });
    await look.settled();
    const { complete, progress } = await show(look);
    story.claim(complete, `the recovery is complete, not at ${progress}`);
    say(`${progress} steps over.`);
  });
  story.proven('Consumers are listed from the tags of their keys, and their progress is kept.');
}

interface Seen {
  complete: boolean;
  progress: string;
  waitingFor: string[];
  prerequisites: { state: string; title: string; found: string }[] | null;
  exchangeKey: { key: string; fingerprint: string } | null;
  runbook: { steps: { name: string; state: string; report?: { evidence?: string } }[] };
  consumers: { tasks: { consumer: string; key: string }[]; done: number; total: number; text: string } | null;
}

function hsmNamed(look: Observer, name: string): EstateHsm {
  const found = look.estate.hsms.find((hsm) => hsm.name === name);
  if (!found) throw new Error(`the estate has no HSM ${name}`);
  return found;
}

const versionsOf = (hsm: EstateHsm): Set<string> =>
  new Set(hsm.keys().keys.flatMap(({ name, versions }) => versions.map(({ version }) => `${name}/${version}`)));

async function post<T>(look: Observer, path: string, body: unknown): Promise<T> {
  const answer = await look.api('POST', path, { as: 'operator', body });
  if (answer.status >= 300) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body as T;
}

async function report(look: Observer, step: string, body: object, as: 'operator' | 'approver' = 'operator') {
  const path = `/api/recoveries/${ID}/steps/${step}`;
  const answer = await look.api('POST', path, { as, body });
  if (answer.status !== 200) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

async function show(look: Observer): Promise<Seen> {
  const { status, body } = await look.api('GET', `/api/recoveries/${ID}`, { as: 'viewer' });
  if (status !== 200) throw new Error(`GET the recovery: ${status} ${JSON.stringify(body)}`);
  return body as Seen;
}

/** Until the recovery waits for that step, and `also` holds. A step that failed ends the story with what it said. */
async function reaches(look: Observer, step: string, also: (seen: Seen) => boolean = () => true): Promise<Seen> {
  let seen = await show(look);
  await look.eventually(async () => {
    seen = await show(look);
    if (seen.waitingFor.includes(step) && also(seen)) return true;
    const failed = seen.runbook.steps.find(({ state }) => state === 'failed');
    if (failed) throw new Error(`the step ${failed.name} failed: ${failed.report?.evidence}`);
    return false;
  }, `the recovery at ${step}`);
  return seen;
}
