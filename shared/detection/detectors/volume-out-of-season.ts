import { type Detector, type Draft, parameter } from '../detector.ts';
import type { Scene } from '../scene.ts';
import { isoHour } from '../time-bins.ts';
import type { VolumeReading } from '../volumes.ts';

const ID = 'volume-out-of-season';

/** The key cannot leave the HSM, so who wants the data must use it: more often, or at another hour, than its owner does. */
export const volumeOutOfSeason: Detector = {
  id: ID,
  version: 3,
  sees: 'More crypto operations of one caller on one key than this hour of such a day has.',
  method:
    'Robust z of the variance-stabilised count against the same hour and its neighbours on days of the type over 28 days, by the clocks of the calendar; a Poisson tail for sparse series; a weighted mean of clipped z for slow drift; generalised least squares of a lasting step for busy series, whose days differ as wholes.',
  severity: { least: 'Medium', most: 'High' },
  falsePositives: [
    'A failover of SQL unwraps once a database, and so does the way back: name the databases of the identity.',
    'The end of a month: the calendar lists its days and how much busier they are.',
    'A job that runs now and then: known by two earlier runs at about the hour, by one if its identity is named as batch.',
    'A storage account that starts again: named as storage, it may open as much as `restart` says, once a day.',
    'A new release or a campaign of the owner: announce it.',
  ],
  runbook: [
    'Ask the owner of the caller what ran in that hour.',
    'Compare addresses and clients of the hour with those before.',
    'If nobody explains it, replace the credential of the caller, and list what the key protects.',
  ],
  response: 'containByApproval',
  compromise: 'misuse',
  techniques: ['T1530', 'T1486'],
  evaluate(scene) {
    if (scene.age < scene.rule.learning.rulesOnlyDays) return [];
    return scene.volumes.flatMap((reading) => judge(scene, reading) ?? []);
  },
};

interface Level {
  base: number;
  why: string;
  z: number;
  subject?: string;
}

/** What is likely and what is large are two things: only what is both is High, and a grave key makes nothing likelier. */
const mostOf = ({ base }: Level): Pick<Draft, 'most'> => (base < 60 ? { most: 'Medium' } : {});

function judge(scene: Scene, reading: VolumeReading): Draft | undefined {
  const level = isExpected(scene, reading) ? undefined : levelOf(scene, reading);
  if (level === undefined) return undefined;
  const { key, who, caller, count, usual, z } = reading;
  const hour = isoHour(reading.hour);
  return {
    calls: [],
    who,
    caller,
    keys: [key],
    from: hour,
    until: reading.open ? scene.facts.now : isoHour(reading.hour + 1),
    explained: false,
    subject: `${key} ${reading.class}${level.subject ?? ''}`,
    windowMinutes: 60,
    base: level.base,
    ...mostOf(level),
    z: level.z,
    title: `${caller.upn ?? who} ${reading.class === 'crypto.unprotect' ? 'unwrapped or decrypted' : 'wrapped, encrypted or signed'} ${count} times in an hour with ${key}${reading.open ? ', and the hour is not over' : ''}`,
    explanation: level.why,
    nextStep: 'Ask the owner of this caller what ran in that hour.',
    facts: {
      count,
      usual: usual === undefined ? null : Math.round(usual * 10) / 10,
      z: z === undefined ? null : Math.round(z * 10) / 10,
      days: Math.floor(reading.days),
    },
    marks: ['volume'],
  };
}

function levelOf(scene: Scene, reading: VolumeReading): Level | undefined {
  const { count, usual, z, zBefore, logTail, most, days, drift, shift } = reading;
  const number = (name: string) => parameter(scene, ID, name);
  if (usual === undefined || z === undefined || days < scene.rule.learning.noveltyDays) {
    // Too short a history for statistics: only what dwarfs it is told.
    if (days < scene.rule.learning.rulesOnlyDays || count < 200 || count < 10 * Math.max(1, most)) return undefined;
    return { base: 40, why: `The largest hour in ${Math.floor(days)} days had ${most}.`, z: 0 };
  }
  const usually = `Usual are ${usual.toFixed(1)} in this hour of such a day; the robust z is ${z.toFixed(1)}.`;
  const excess = count - usual >= number('excess');
  if (excess && logTail !== undefined) {
    if (logTail / Math.LN10 > -number('logTail')) return lasting();
    return { base: 40, why: `${usually} The key is used rarely, so many at once are no chance.`, z };
  }
  if (count < number('ratio') * usual) return lasting();
  const large = excess && count >= number('highRatio') * usual;
  if (large && z >= number('extreme')) return { base: 70, why: usually, z };
  if (large && z >= number('high')) return { base: 60, why: usually, z };
  if (excess && z >= number('medium')) return { base: 40, why: usually, z };
  const sustained = number(reading.busy ? 'busySustained' : 'sustained');
  if (excess && z >= sustained && zBefore >= sustained) {
    return { base: 40, why: `${usually} The hour before was as busy.`, z };
  }
  return lasting();

  function lasting(): Level | undefined {
    if (shift !== undefined) {
      const since = `Since ${isoHour(shift.from)} all hours together are ${shift.ratio.toFixed(2)} times the usual.`;
      return { base: 40, why: `${usually} ${since}`, z: z ?? 0, subject: ' shift' };
    }
    if (drift === undefined || count <= (usual ?? 0)) return undefined;
    return { base: 40, why: `${usually} It has been above the usual for hours.`, z: z ?? 0, subject: ' drift' };
  }
}

/** A failover, or what the owner announced. */
function isExpected(scene: Scene, { who, key, hour, allowed }: VolumeReading): boolean {
  if (allowed) return true;
  const at = isoHour(hour);
  return scene.rule.announced.some(
    (change) =>
      (change.oid === undefined || change.oid.toLowerCase() === who) &&
      (change.key === undefined || change.key.toLowerCase() === key) &&
      at >= change.from &&
      at < change.until,
  );
}
