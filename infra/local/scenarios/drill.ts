import { startEstate } from '../estate-run.ts';
import { IDENTITIES } from '../identity/registrations.ts';
import { STORAGE_AUDIENCE } from '../storage/proxy.ts';
import { type Holders, holdDomain } from './holders.ts';
import { theJournalIsUnbroken } from './journal.ts';
import { createObserver, MORNING, type Observer } from './observer.ts';
import type { Story } from './story.ts';
import { temporaryDrill } from './temporary-drill.ts';

/**
 * A restore is rehearsed on a standing drill HSM: compared key by key, tried with what keys made before, measured. Then by the
 * clock with a host that dies, with a backup that somebody changed in the vault, and on an HSM that the drill makes and removes.
 */
export async function drill(story: Story): Promise<void> {
  const estate = await story.step('The embedded estate boots with an HSM and its drill HSM', async (say) => {
    const running = await startEstate({ seed: 'drill', port: 0, startAt: MORNING });
    say('contoso-drill shares the security domain of contoso, holds nothing, and may be overwritten by the policy.');
    return running;
  });
  const look = createObserver(estate);
  try {
    const holders = await theLedgerNamesBoth(story, look);
    const backup = await aBackupIsTaken(story, look);
    await aDrillPasses(story, look, backup);
    await theClockRehearses(story, look);
    await aChangedBackupFails(story, look);
    await temporaryDrill(story, look, holders);
    await theJournalIsUnbroken(story, look);
  } finally {
    await estate.stop();
  }
}

/** What a drill needs: the ledger knows that both HSMs share a domain, and there is a backup. */
export async function prepareDrills(look: Observer): Promise<Holders> {
  const holders = await holdDomain(look, ['contoso', 'contoso-drill']);
  await watch(look);
  return holders;
}

async function theLedgerNamesBoth(story: Story, look: Observer): Promise<Holders> {
  return story.step('The custody ledger learns that both share one security domain', async (say) => {
    const holders = await holdDomain(look, ['contoso', 'contoso-drill']);
    say('Three holders, two of them needed; no API tells which HSMs share a domain, so people record it.');
    return holders;
  });
}

async function aBackupIsTaken(story: Story, look: Observer): Promise<string> {
  return story.step('A backup of contoso is taken, copied, verified and locked', async (say) => {
    await watch(look);
    const backup = await newestBackup(look);
    story.claim(backup.state === 'locked', `locked, not ${backup.state}`);
    say(`${backup.id}: ${backup.keys} keys, ${backup.versions} versions.`);
    return backup.id;
  });
}

async function aDrillPasses(story: Story, look: Observer, backup: string): Promise<void> {
  await story.step('An operator asks for a drill; a dry run says what it would restore, and where', async (say) => {
    const body = { hsm: 'contoso', reason: 'before the audit' };
    const planned = await look.api('POST', '/api/drills?dryRun=true', { as: 'operator', body });
    const { decision } = planned.body as { decision: { kind: string; backup: string; target: { hsm: string } } };
    story.claim(planned.status === 200 && decision.kind === 'run', `a plan, not ${JSON.stringify(planned.body)}`);
    say(`${decision.backup} to ${decision.target.hsm}.`);

    const versions = look.versions();
    const first = await look.api('POST', '/api/drills', { as: 'operator', body, idempotencyKey: 'audit-2030-drill' });
    const again = await look.api('POST', '/api/drills', { as: 'operator', body, idempotencyKey: 'audit-2030-drill' });
    story.claim(first.status === 202, `accepted, not ${JSON.stringify(first.body)}`);
    story.claim(first.headers.location === again.headers.location, 'asking twice is asking once');
    await look.settled();
    const outcome = (await look.operation(first.headers.location ?? '')) as DrillEnd;
    story.claim(outcome.kind === 'passed', `passed, not ${JSON.stringify(outcome)}`);
    story.claim(restores(look) === 1, `one restore of the drill HSM, not ${restores(look)}`);
    story.claim(look.calls('contoso', 'RestoreCreate', 202) === 0, 'contoso itself was never restored to');
    const untouched = look.grown(versions).every(({ key }) => !key.startsWith('contoso/'));
    story.claim(untouched, 'and nothing of it was changed');
    for (const line of outcome.reasons) say(line);
    say(`recovery point ${minutes(outcome.rpo)}, recovery time ${minutes(outcome.rto)}.`);
    say(`report: evidence/${outcome.report}.html and .json`);
  });
  await story.step('The catalogue, the mail and the event say so', async (say) => {
    const newest = await newestBackup(look);
    story.claim(newest.id === backup && newest.state === 'proven', `proven, not ${newest.state}`);
    const [told] = look.mail().filter(({ subject }) => subject.includes('contoso restore drill passed'));
    story.claim(told !== undefined, 'it was told');
    say(`mail to ${told?.to.join(', ')}: ${told?.subject}`);
    for (const { body } of look.events('DrillPassed')) say((body as { data: { summary: string } }).data.summary);
    const { body } = await look.api('GET', '/api/drills', { as: 'auditor' });
    story.claim((body as { drills: { status: string }[] }).drills[0]?.status === 'passed', 'and listed');
  });
  story.proven('A backup was restored to another HSM, compared key by key, and opened what its keys had made before.');
  story.proven('An auditor gets a date, a recovery point, a recovery time and a report.');
}

async function theClockRehearses(story: Story, look: Observer): Promise<void> {
  await story.step('A drill falls due by the clock, and the host is killed again and again', async (say) => {
    await look.writePolicy(policy({ every: 'P1D' }));
    look.advance(DAY_MS + 60_000);
    const [before, passed] = [restores(look), look.events('DrillPassed').length];
    await look.estate.runTimer('backupWatchTimer');
    let kills = 0;
    for (; restores(look) === before && kills < 6; kills++) {
      await look.pause(300);
      look.advance(2 * MINUTE_MS);
      await look.killHost();
    }
    await look.eventually(() => restores(look) > before, 'the restore to begin');
    await look.killHost();
    await look.settled();
    story.claim(look.events('DrillPassed').length === passed + 1, 'it passed, once');
    story.claim(restores(look) === before + 1, `one restore job, not ${restores(look) - before}`);
    say(`killed ${kills + 1} times with SIGKILL; one restore, one report.`);
  });
  story.proven('A crash at any moment neither loses nor doubles a drill.');
}

async function aChangedBackupFails(story: Story, look: Observer): Promise<void> {
  await story.step('Somebody with power over the vault changes a blob of the newest backup', async (say) => {
    await look.settled();
    await look.writePolicy(policy({ every: 'P90D' }));
    const { id } = await newestBackup(look);
    const blob = await changeBlob(look, id);
    say(`one byte of ${id}/${blob}`);
    const before = restores(look);
    const body = { hsm: 'contoso', backup: id, reason: 'a suspicion' };
    const asked = await look.api('POST', '/api/drills', { as: 'operator', body });
    await look.settled();
    const outcome = (await look.operation(asked.headers.location ?? '')) as DrillEnd;
    story.claim(outcome.kind === 'failed', `failed, not ${JSON.stringify(outcome)}`);
    for (const line of outcome.reasons) say(line);
    story.claim(restores(look) === before, 'nothing was restored');
    const told = look.mail().find(({ subject }) => subject.includes('contoso restore drill failed'));
    story.claim(told?.text.includes(id) === true, 'it was told');
    say(`mail: ${told?.subject}`);
    const backup = (await backups(look)).find((each) => each.id === id);
    story.claim(backup?.doubt !== undefined, 'and the catalogue doubts it');
    say(`the catalogue: ${backup?.doubt?.reason}`);
  });
  await story.step('The next drill takes another backup', async (say) => {
    const body = { hsm: 'contoso', reason: 'after the suspicion' };
    const planned = await look.api('POST', '/api/drills?dryRun=true', { as: 'operator', body });
    const { decision } = planned.body as { decision: { backup: string } };
    const doubted = (await backups(look)).filter(({ doubt }) => doubt !== undefined).map(({ id }) => id);
    story.claim(!doubted.includes(decision.backup), 'not the doubted one');
    say(decision.backup);
  });
  story.proven('A backup that was changed fails its drill critically, is doubted, and is never picked again.');
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

interface DrillEnd {
  kind: string;
  rpo?: number;
  rto?: number;
  reasons: string[];
  report: string;
}

interface Backup {
  id: string;
  hsm: string;
  state: string;
  keys: number;
  versions: number;
  doubt?: { reason: string };
}

async function backups(look: Observer): Promise<Backup[]> {
  const { body } = await look.api('GET', '/api/backups', { as: 'viewer' });
  return (body as { backups: Backup[] }).backups.filter(({ hsm }) => hsm === 'contoso');
}

async function newestBackup(look: Observer): Promise<Backup> {
  const [newest] = await backups(look);
  if (!newest) throw new Error('the catalogue has no backup of contoso');
  return newest;
}

/** Past the lock, as nobody can in Azure: the drill must not rely on that. */
async function changeBlob(look: Observer, backup: string): Promise<string> {
  const { body } = await look.api('GET', `/api/backups/contoso/${backup}`, { as: 'viewer' });
  const [blob] = (body as { manifest: { blobs: { name: string }[] } }).manifest.blobs;
  if (!blob) throw new Error(`${backup} has no blobs`);
  const { blobUrl, immutability } = look.estate.storage.accounts.vault;
  immutability.forget('hsm-backups', `${backup}/${blob.name}`);
  const { token } = await look.estate.tokens.forIdentity(IDENTITIES.backup, STORAGE_AUDIENCE);
  const url = `${blobUrl}/hsm-backups/${backup}/${blob.name}`;
  const headers = { authorization: `Bearer ${token}`, 'x-ms-version': '2025-11-05' };
  const held = await look.estate.call({ method: 'GET', url, headers });
  const changed = Buffer.from(held.body);
  changed.writeUInt8(changed.readUInt8(0) ^ 1, 0);
  const put = { ...headers, 'x-ms-blob-type': 'BlockBlob' };
  const written = await look.estate.call({ method: 'PUT', url, headers: put, body: changed });
  if (written.status >= 300) throw new Error(`the blob could not be changed: ${written.status}`);
  return blob.name;
}

const policy = ({ every }: { every: string }): string =>
  JSON.stringify({
    version: 1,
    keys: [{ match: '*', hsm: 'contoso', rotation: { mode: 'off' } }],
    backup: { schedule: { every: 'P1D', at: '02:00', timeZone: 'Europe/Berlin' }, rpo: 'P2D' },
    drills: { mode: 'on', every, target: { kind: 'standing', hsm: 'contoso-drill' } },
    geography: { regions: ['westeurope', 'northeurope'] },
    owners: { fallback: ['key-custodians@contoso.example'] },
  });

/** Restores that the drill HSM accepted. */
const restores = (look: Observer): number => look.calls('contoso-drill', 'RestoreCreate', 202);

const minutes = (seconds: number | undefined): string =>
  seconds === undefined ? 'not measured' : `${(seconds / 60).toFixed(1)} min`;

const watch = (look: Observer): Promise<void> => look.run('backupWatchTimer');
