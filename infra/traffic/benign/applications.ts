import { DAY, HOUR, MINUTE } from '../calendar.ts';
import { shapes, type Verb } from '../operations.ts';
import { type Random, randomFor } from '../random.ts';
import type { Consumer, Site } from '../site.ts';
import type { Tape } from '../tape.ts';
import { versionInUse } from './versions.ts';

/** Expected calls of a local hour on a workday, as a share of the way from night to peak. */
const bell = (hour: number): number => Math.exp(-(((hour - 13) / 3.6) ** 2));

/** An application whose people and customers work by day: weekday bell, quiet weekends and holidays, growth, surges. */
function applicationTraffic(site: Site, tape: Tape, app: Consumer, verbs: [verb: Verb, share: number][]): void {
  const { application, failures } = site.parameters;
  const random = randomFor(site.seed, site.hsm, 'application', app.key);
  const peak = random.between(...application.peak);
  const surges: number[] = [];
  const apart = application.surgeDays * DAY;
  for (let at = site.from + random.exponential(apart); at < site.to; at += random.exponential(apart)) surges.push(at);
  const factors = new Map<number, number>();
  for (let hour = site.from; hour < site.to; hour += HOUR) {
    const local = site.calendar.local(hour);
    const day = Math.floor(local / DAY);
    const factor = factors.get(day) ?? random.logNormal(1, application.dayDeviation);
    factors.set(day, factor);
    const growth = 1 + (application.growthPerWeek * (hour - site.from)) / (7 * DAY);
    const rest = site.calendar.isWorkday(hour) ? 1 : application.weekend;
    const surge = surges.some((at) => hour >= at && hour < at + 3 * HOUR) ? 2 : 1;
    const mean =
      (application.night + (peak - application.night) * bell((local % DAY) / HOUR)) * rest * factor * growth * surge;
    for (const [verb, share] of verbs) {
      const count = random.negativeBinomial(mean * share, application.dispersion);
      writeHour(site, tape, app, verb, hour, count, random);
    }
    const broken = random.poisson(mean * failures);
    const shape = shapes.crypto(verbs[0]?.[0] ?? 'sign', app.key, versionInUse(site, app, hour));
    for (let index = 0; index < broken; index++)
      tape.call(app, shape, hour + random.next() * HOUR, { status: random.chance(0.7) ? 429 : 503 });
  }
}

/** An hour's calls, drawn to its six bins. */
function writeHour(
  site: Site,
  tape: Tape,
  app: Consumer,
  verb: Verb,
  hour: number,
  count: number,
  random: Random,
): void {
  let left = count;
  for (let bin = 0; bin < 6 && left > 0; bin++) {
    const mean = left / (6 - bin);
    const inBin = bin === 5 ? left : Math.min(left, random.poisson(mean));
    left -= inBin;
    if (inBin === 0) continue;
    const at = hour + bin * 10 * MINUTE;
    tape.call(app, shapes.crypto(verb, app.key, versionInUse(site, app, at)), at, {
      count: inBin,
      span: 10 * MINUTE - 1000,
    });
  }
}

/** Now and then a night job, bigger at the end of the month. */
function batchTraffic(site: Site, tape: Tape): void {
  const { batch } = site.parameters;
  const random = randomFor(site.seed, site.hsm, 'batch');
  for (let day = site.from + 12 * HOUR; day < site.to; day += DAY) {
    const monthEnd = site.calendar.isMonthEnd(day);
    const runs = random.chance(batch.nights) || monthEnd;
    const start = site.calendar.atLocalHour(day, 1) + random.next() * 2 * HOUR;
    const size = Math.round(random.normal(batch.size, batch.deviation)) * (monthEnd ? batch.monthEnd : 1);
    const shape = shapes.crypto('unwrapkey', site.batch.key, versionInUse(site, site.batch, start));
    if (runs && size > 0) tape.call(site.batch, shape, start, { count: size, span: 40 * MINUTE });
  }
}

export function applications(site: Site, tape: Tape): void {
  applicationTraffic(site, tape, site.signing, [['sign', 1]]);
  applicationTraffic(site, tape, site.envelope, [
    ['unwrapkey', 0.8],
    ['wrapkey', 0.2],
  ]);
  batchTraffic(site, tape);
}
