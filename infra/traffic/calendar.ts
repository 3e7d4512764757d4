/** Local time by public rules instead of the runtime's zone data, so that a seed gives the same bytes on every machine. */
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

export interface Zone {
  /** IANA name, for who reads the calls. */
  name: string;
  /** Hours east of UTC in winter. */
  offset: number;
  summer: 'eu' | 'us' | 'none';
}

export const ZONES: readonly Zone[] = [
  { name: 'Europe/Berlin', offset: 1, summer: 'eu' },
  { name: 'America/New_York', offset: -5, summer: 'us' },
  { name: 'Asia/Singapore', offset: 8, summer: 'none' },
];

/** Public holidays that the zones share; more are drawn per seed, because every bank has its own. Month and day. */
const COMMON_HOLIDAYS = ['01-01', '05-01', '12-25', '12-26'];

export interface Calendar {
  zone: Zone;
  /** Local dates, `2026-05-01`. */
  holidays: string[];
  /** The local wall clock written as UTC milliseconds. */
  local(at: number): number;
  /** The instant of a local hour on the local day that contains `at`. */
  atLocalHour(at: number, hour: number): number;
  isWorkday(at: number): boolean;
  isMonthEnd(at: number): boolean;
}

export function createCalendar(zone: Zone, extraHolidays: string[], years: number[]): Calendar {
  const holidays = [
    ...new Set([...years.flatMap((year) => COMMON_HOLIDAYS.map((day) => `${year}-${day}`)), ...extraHolidays]),
  ];
  const off = new Set(holidays);
  const shifts = new Map(years.map((year) => [year, summerTime(zone, year)]));
  const offsetAt = (at: number) => {
    const summer = shifts.get(new Date(at).getUTCFullYear());
    return (zone.offset + (summer && at >= summer[0] && at < summer[1] ? 1 : 0)) * HOUR;
  };
  const local = (at: number) => at + offsetAt(at);
  return {
    zone,
    holidays: holidays.toSorted(),
    local,
    atLocalHour(at, hour) {
      const midnight = Math.floor(local(at) / DAY) * DAY;
      const wanted = midnight + hour * HOUR;
      const guess = wanted - offsetAt(at);
      return wanted - offsetAt(guess);
    },
    isWorkday(at) {
      const day = new Date(local(at));
      return day.getUTCDay() % 6 !== 0 && !off.has(dateOf(day.getTime()));
    },
    isMonthEnd: (at) => new Date(local(at) + DAY).getUTCDate() === 1,
  };
}

export const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

/** EU: last Sundays of March and October at 01:00 UTC. US: second Sunday of March, first of November, at 02:00 local. */
function summerTime(zone: Zone, year: number): [from: number, to: number] | undefined {
  if (zone.summer === 'eu') return [lastSunday(year, 2) + HOUR, lastSunday(year, 9) + HOUR];
  if (zone.summer === 'us') {
    const local = (hour: number) => (hour - zone.offset) * HOUR;
    return [firstSunday(year, 2) + 7 * DAY + local(2), firstSunday(year, 10) + local(1)];
  }
  return undefined;
}

function firstSunday(year: number, month: number): number {
  const first = Date.UTC(year, month, 1);
  return first + ((7 - new Date(first).getUTCDay()) % 7) * DAY;
}

function lastSunday(year: number, month: number): number {
  const last = Date.UTC(year, month + 1, 0);
  return last - new Date(last).getUTCDay() * DAY;
}
