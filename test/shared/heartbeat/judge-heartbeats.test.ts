import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedHeartbeats } from '../../../shared/heartbeat/expected.ts';
import { type HeartbeatMemory, judgeHeartbeats } from '../../../shared/heartbeat/judge-heartbeats.ts';

const MINUTE = 60_000;
const START = Date.parse('2030-01-01T00:00:00Z');
const at = (minutes: number) => new Date(START + minutes * MINUTE);
const iso = (minutes: number) => at(minutes).toISOString();

/** A watch that looks every ten minutes at a sweep of every quarter of an hour and a custody watch of every day. */
function aWatch(schedules = { sweep: '0 */15 * * * *', custody: '0 29 6 * * *' }) {
  let memory: HeartbeatMemory | undefined;
  const beats: Record<string, string> = {};
  return {
    beats,
    look(minutes: number, changed = schedules) {
      const judged = judgeHeartbeats({
        expected: expectedHeartbeats(changed, ['contoso']),
        beats,
        memory,
        schedule: '0 */10 * * * *',
        grace: 'PT45M',
        now: at(minutes),
      });
      memory = JSON.parse(JSON.stringify(judged.memory)) as HeartbeatMemory;
      return judged;
    },
    /** Looks every ten minutes; what was silent at each look. */
    lookOften(from: number, to: number, beat?: (minutes: number) => void) {
      const told: string[] = [];
      for (let minutes = from; minutes <= to; minutes += 10) {
        beat?.(minutes);
        told.push(...this.look(minutes).silences.map(({ name }) => `${minutes} ${name}`));
      }
      return told;
    },
  };
}

describe('a heartbeat', () => {
  test('is not missed at the first start before its schedule and the grace have passed', () => {
    const watch = aWatch();
    expect(watch.lookOften(0, 60)).toEqual([]);
    const { silences } = watch.look(70);
    expect(silences).toMatchObject([{ name: 'sweep-contoso', hsm: 'contoso', since: iso(0), dueBy: iso(60) }]);
    expect(silences[0]).not.toHaveProperty('last');
  });

  test('is not missed while it comes', () => {
    const watch = aWatch();
    const beat = (minutes: number) => {
      watch.beats['sweep-contoso'] = iso(minutes - (minutes % 15));
    };
    expect(watch.lookOften(0, 300, beat)).toEqual([]);
  });

  test('is missed once its schedule and the grace have passed, as one silence for as long as it lasts', () => {
    const watch = aWatch();
    watch.beats['sweep-contoso'] = iso(0);
    expect(watch.lookOften(0, 60)).toEqual([]);
    const first = watch.look(70).silences[0];
    const later = watch.look(80).silences[0];
    expect(first).toMatchObject({ last: iso(0), since: iso(0) });
    expect(later).toEqual(first);
  });

  test('that comes again ends the silence, which is told once', () => {
    const watch = aWatch();
    watch.beats['sweep-contoso'] = iso(0);
    watch.lookOften(0, 100);
    watch.beats['sweep-contoso'] = iso(105);
    const { recovered, silences } = watch.look(110);
    expect(silences).toEqual([]);
    expect(recovered).toMatchObject([{ name: 'sweep-contoso', since: iso(0), last: iso(105) }]);
    expect(watch.look(120).recovered).toEqual([]);
  });

  test('gets its time anew under another schedule', () => {
    const watch = aWatch();
    watch.look(0);
    watch.look(10, { sweep: '0 */15 * * * *', custody: '0 */5 * * * *' });
    const { silences } = watch.look(20, { sweep: '0 */15 * * * *', custody: '0 */5 * * * *' });
    expect(silences).toEqual([]);
  });

  test('whose own clock is ahead is missed all the same', () => {
    const watch = aWatch();
    watch.beats['sweep-contoso'] = iso(100_000);
    watch.lookOften(0, 60);
    expect(watch.look(70).silences).toHaveLength(1);
  });
});

describe('a watch that was away itself', () => {
  test('tells that, and gives everything its time anew', () => {
    const watch = aWatch();
    watch.beats['sweep-contoso'] = iso(0);
    watch.look(0);
    const { away, silences } = watch.look(5010);
    expect(away).toEqual({ from: iso(0), to: iso(5010) });
    expect(silences).toEqual([]);
    expect(watch.lookOften(5020, 5070)).toEqual([]);
    expect(watch.look(5080).silences).toMatchObject([{ name: 'sweep-contoso' }]);
  });

  test('goes on with a silence that it had found before', () => {
    const watch = aWatch();
    watch.lookOften(0, 70);
    expect(watch.look(5000).silences).toMatchObject([{ name: 'sweep-contoso', since: iso(0) }]);
  });

  test('by a clock that went back measures from then', () => {
    const watch = aWatch();
    watch.look(5000);
    expect(watch.look(0)).toMatchObject({ silences: [] });
    expect(watch.lookOften(10, 60)).toEqual([]);
    expect(watch.look(70).silences).toMatchObject([{ since: iso(0) }]);
  });
});

describe('whatever comes and goes', () => {
  test('nothing is missed that was seen to change within its schedule and the grace, and all else is', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }), (comes) => {
        const watch = aWatch({ sweep: '0 */15 * * * *', custody: '0 */15 * * * *' });
        watch.look(0);
        let changed = 0;
        comes.forEach((beat, index) => {
          const minutes = (index + 1) * 10;
          if (beat) {
            watch.beats['sweep-contoso'] = iso(minutes);
            changed = minutes;
          }
          const missed = watch.look(minutes).silences.some(({ work }) => work === 'sweep');
          expect(missed).toBe(minutes > (Math.floor(changed / 15) + 1) * 15 + 45);
        });
      }),
    );
  });
});
