import type { MaintenanceWindow, Weekday } from '../policy/rule.ts';
import { addDuration, DAY_MS } from '../time.ts';
import { instantAt, wallClock } from '../time-zone.ts';

export interface Opening {
  opens: Date;
  closes: Date;
}

const WEEKDAYS: readonly Weekday[] = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** The opening that `now` lies in: from its first instant, until just before its last. The one that closes latest, if several. */
export function currentOpening(windows: MaintenanceWindow[], now: Date): Opening | undefined {
  return openings(windows, now)
    .filter(({ opens, closes }) => opens <= now && now < closes)
    .sort((a, b) => b.closes.getTime() - a.closes.getTime())[0];
}

/** The first opening that begins after `now`; undefined when there are no windows. */
export function nextOpening(windows: MaintenanceWindow[], now: Date): Opening | undefined {
  return openings(windows, now)
    .filter(({ opens }) => opens > now)
    .sort((a, b) => a.opens.getTime() - b.opens.getTime())[0];
}

/**
 * Every opening from two days before to eight days after: a window lasts 24 hours at most and recurs weekly, and the
 * calendar day of the zone may be one off ours.
 */
function openings(windows: MaintenanceWindow[], now: Date): Opening[] {
  return windows.flatMap((window) => {
    const today = startOfDay(wallClock(now, window.timeZone));
    return Array.from({ length: 11 }, (_, index) => new Date(today + (index - 2) * DAY_MS))
      .filter((day) => window.days.includes(WEEKDAYS[day.getUTCDay()] ?? 'Sun'))
      .map((day) => {
        const opens = instantAt(new Date(day.getTime() + minutesOf(window.opens) * 60_000), window.timeZone);
        return { opens, closes: addDuration(opens, window.lasts) };
      });
  });
}

const startOfDay = (wall: Date): number => Math.floor(wall.getTime() / DAY_MS) * DAY_MS;

function minutesOf(opens: string): number {
  const [hours = '0', minutes = '0'] = opens.split(':');
  return Number(hours) * 60 + Number(minutes);
}
