import { startEstate } from '../estate-run.ts';
import { theJournalIsUnbroken } from './journal.ts';
import { createObserver, MORNING, type Observer } from './observer.ts';
import type { Story } from './story.ts';

/**
 * A full backup is taken by the clock, copied to another region, verified byte for byte and locked; then everything that may
 * go wrong goes wrong: a host that dies, a lost answer, a job that fails, a missed schedule.
 */
export async function backup(story: Story): Promise<void> {
  const estate = await story.step('The embedded estate boots with the demo keys', async (say) => {
    const running = await startEstate({ seed: 'demo', port: 0, startAt: MORNING });
    say('Landing account for the HSM, vault account in another region for the copies.');
    return running;
  });
  const look = createObserver(estate);
  try {
    await theClockTakesABackup(story, look);
    await missedSlotsAreCaughtUp(story, look);
    await deathLosesNothing(story, look);
    await aLostAnswerIsLookedInto(story, look);
    await aFailedJobIsTriedAgain(story, look);
    await theJournalIsUnbroken(story, look);
  } finally {
    await estate.stop();
  }
}

async function theClockTakesABackup(story: Story, look: Observer): Promise<void> {
  await story.step('The schedule finds that a backup is due, and takes one of each HSM', async (say) => {
    await watch(look);
    const events = look.events('BackupCompleted');
    for (const { body } of events) say((body as { data: { summary: string } }).data.summary);
    story.claim(events.length === look.estate.hsms.length, `one backup for each HSM, not ${events.length}`);
    const told = look.mail().filter(({ subject }) => subject.includes('backed up'));
    for (const mail of told) say(`mail to ${mail.to.join(', ')}: ${mail.subject}`);
    story.claim(told.length === events.length, 'each was told');
  });
  await story.step('Looking again finds nothing due', async (say) => {
    const before = jobs(look);
    await watch(look);
    story.claim(jobs(look) === before, 'no job was started');
    say(`still ${before} jobs.`);
  });
  story.proven('A backup that was due was taken, copied to another region, verified byte for byte and locked.');
}

async function missedSlotsAreCaughtUp(story: Story, look: Observer): Promise<void> {
  await story.step('The host is down for five days, and comes back', async (say) => {
    const before = jobs(look);
    await look.estate.host?.kill('SIGKILL');
    look.advance(5 * DAY_MS);
    await look.estate.host?.start();
    await watch(look);
    const made = jobs(look) - before;
    story.claim(made === 1, `one backup answers all slots that were missed, not ${made}`);
    const overdue = look.mail().filter(({ subject }) => /backup/i.test(subject) && /overdue|old|days/i.test(subject));
    say(`one backup answers five days; meanwhile told: ${overdue[0]?.subject ?? 'nothing'}`);
  });
  story.proven('Missed schedules are caught up by one backup.');
}

async function deathLosesNothing(story: Story, look: Observer): Promise<void> {
  await story.step('The host is killed again and again while it backs up', async (say) => {
    const before = jobs(look);
    const done = completed(look);
    look.advance(DAY_MS);
    await look.estate.runTimer('backupWatchTimer');
    for (let kill = 1; kill <= 5; kill++) {
      await look.pause(120 + kill * 140);
      look.advance(12_000);
      await look.killHost();
    }
    await look.settled();
    const made = jobs(look) - before;
    story.claim(made === 1, `exactly one job, not ${made}`);
    story.claim(completed(look) === done + 1, 'it was finished and told');
    say('killed 5 times with SIGKILL; one job, one verified copy.');
  });
  story.proven('A crash at any moment neither loses nor doubles a backup, and leaves no lock behind.');
}

async function aLostAnswerIsLookedInto(story: Story, look: Observer): Promise<void> {
  await story.step('The answer to the start of a backup is lost after it took effect', async (say) => {
    const before = jobs(look);
    nextStartMeets(look, { lostReply: 'after' });
    look.advance(DAY_MS);
    await watch(look);
    const made = jobs(look) - before;
    story.claim(made === 1, `no second job was started: ${made}`);
    say('The app waited, found the folder that the job had made, and went on with it.');
  });
  story.proven('A start whose answer was lost is looked for, never sent again blindly.');
}

async function aFailedJobIsTriedAgain(story: Story, look: Observer): Promise<void> {
  await story.step('A job fails after it was accepted; it is told, and tried again when the rule says', async (say) => {
    const done = completed(look);
    nextStartMeets(look, { effect: 'failJob' });
    look.advance(DAY_MS);
    await watch(look);
    const told = look
      .mail()
      .filter(({ subject }) => subject.includes('contoso') && /not|fail/i.test(subject))
      .at(-1);
    story.claim(look.events('BackupFailed').length > 0, 'the failure was published');
    story.claim(told !== undefined, 'and told');
    say(told?.subject ?? '');
    look.advance(2 * 3_600_000);
    await watch(look);
    story.claim(completed(look) === done + 1, 'the retry made the backup');
    say('an hour later it was tried again, and succeeded.');
  });
  story.proven('Success is taken from the job, never from the call; a failed backup is told and tried again.');
}

const DAY_MS = 86_400_000;

const watch = (look: Observer): Promise<void> => look.run('backupWatchTimer');

/** Backup jobs that contoso accepted; fabrikam is backed up once a week only, by its rule. */
/** What the next start of a backup meets. */
const nextStartMeets = (look: Observer, fault: { lostReply: 'after' } | { effect: 'failJob' }) =>
  look.estate.estate.faults.add({
    ...{ service: 'hsm', operation: 'BackupCreate', where: { hsm: 'contoso' }, count: 1 },
    ...fault,
  });

const jobs = (look: Observer): number => look.calls('contoso', 'BackupCreate', 202);

const completed = (look: Observer): number =>
  new Set(
    look
      .events('BackupCompleted')
      .filter(({ subject }) => subject.includes('mhsm-contoso-'))
      .map(({ id }) => id),
  ).size;
