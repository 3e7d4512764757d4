/** Local time in IANA zones, through Intl: the runtime's own zone data, so no table of ours can go stale. */

/** True for a name that the runtime knows, such as `Europe/Berlin` or `UTC`. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** The wall clock of the zone at an instant, written as if it were UTC: arithmetic on it is calendar arithmetic. */
export function wallClock(instant: Date, timeZone: string): Date {
  const parts = Object.fromEntries(
    formatter(timeZone)
      .formatToParts(instant)
      .map((part) => [part.type, part.value]),
  );
  const number = (type: string) => Number(parts[type]);
  return new Date(
    Date.UTC(number('year'), number('month') - 1, number('day'), number('hour'), number('minute'), number('second')),
  );
}

/**
 * The instant at which the zone's clocks show this wall clock: the earlier of two when clocks go back, and as much after
 * the gap as it lies within it when they go forward.
 */
export function instantAt(wall: Date, timeZone: string): Date {
  const before = offsetMs(new Date(wall.getTime() - 86_400_000), timeZone);
  const after = offsetMs(new Date(wall.getTime() + 86_400_000), timeZone);
  const candidates = [before, after].map((offset) => new Date(wall.getTime() - offset));
  const shown = candidates.filter((instant) => wallClock(instant, timeZone).getTime() === wall.getTime());
  const earliest = shown.length > 0 ? Math.min(...shown.map(Number)) : wall.getTime() - before;
  return new Date(earliest);
}

function offsetMs(instant: Date, timeZone: string): number {
  const whole = Math.floor(instant.getTime() / 1000) * 1000;
  return wallClock(new Date(whole), timeZone).getTime() - whole;
}

/** Building a formatter costs a thousand times its use; the answer depends on the name alone. */
const formatters = new Map<string, Intl.DateTimeFormat>();

function formatter(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formatters.set(timeZone, made);
  return made;
}
