import { findingsOf, incidentsOf, isLoud, sweep } from './detection-views.ts';
import type { Observer } from './observer.ts';
import type { Story } from './story.ts';

const HOUR_MS = 3_600_000;
/** The clock is moved so far at a time; what a timer missed is one run, as after an outage, and the log is read from where it was. */
const STRIDE_HOURS = 6;

export interface QuietDays {
  /** Lets days pass, up to one counted from the first of all, and claims that nothing new is found. */
  until(day: number): Promise<void>;
  sweeps(): number;
}

/** Days of a bank: services, an application, a batch each night, people at work, and our own rotations and backups. */
export function createQuietDays(story: Story, look: Observer, hsm: string): QuietDays {
  const clock = look.estate.estate.clock;
  const began = clock.now().getTime();
  let sweeps = 0;
  return {
    sweeps: () => sweeps,
    async until(day) {
      const end = began + day * 24 * HOUR_MS;
      const days = (end - clock.now().getTime()) / (24 * HOUR_MS);
      await story.step(`${days.toFixed(1)} quiet days pass, up to day ${day}`, async (say) => {
        const [findings, incidents] = await Promise.all([findingsOf(look, hsm), incidentsOf(look)]);
        const known = new Set([...findings, ...incidents].map(({ id }) => id));
        const versions = look.versions();
        const backups = look.events('BackupCompleted').length;
        const rows = look.estate.logs.rows().length;
        while (clock.now().getTime() < end) {
          look.advance(Math.min(STRIDE_HOURS * HOUR_MS, end - clock.now().getTime()));
          await sweep(look);
          sweeps += 1;
        }
        const isNew = ({ id }: { id: string }) => !known.has(id);
        const loud = (await findingsOf(look, hsm)).filter((one) => isNew(one) && isLoud(one));
        story.claim(loud.length === 0, `nothing at Medium or above, not ${JSON.stringify(loud)}`);
        const opened = (await incidentsOf(look)).filter(isNew);
        story.claim(opened.length === 0, `and no incident, not ${JSON.stringify(opened)}`);
        say(
          `${look.estate.logs.rows().length - rows} rows; ${counted(look.grown(versions).length, 'rotation')} and ${counted(look.events('BackupCompleted').length - backups, 'backup')}, known for our own by the journal; no finding of Medium or above, and no incident.`,
        );
      });
    },
  };
}

const counted = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? '' : 's'}`;
