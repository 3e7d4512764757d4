import { beginWatch, type Heartbeat, heartbeatPath, judgeNow } from '../activities/heartbeats.ts';
import { policyInForce } from '../activities/policy-in-force.ts';
import { lookedAfter } from '../looked-after.ts';
import type { World } from '../world.ts';

/**
 * Reaches for what every rotation needs, with the observing identity, and looks at the age of every heartbeat. An outside
 * probe of this is the second pair of eyes: it sees what a stopped app cannot tell, a stopped watch among it.
 */
export async function showHealth(world: World) {
  const [checks, heartbeats] = await Promise.all([
    Promise.all([
      check('state', async () => {
        const { version, rejected, missing } = await policyInForce(world);
        if (missing) return `policy ${version} in force; its document is gone`;
        return rejected
          ? `policy ${version} in force; a newer document has ${rejected.faults.length} faults`
          : `policy ${version} in force`;
      }),
      ...lookedAfter(world.hsms).map(({ name }) =>
        check(`hsm ${name}`, async () => {
          for await (const page of world.keys.observe.pages(name))
            return `answers, ${page.length} keys on the first page`;
          return 'answers, no keys';
        }),
      ),
      ...lookedAfter(world.hsms).map(({ name }) =>
        check(`sweep ${name}`, async () => {
          const found = await world.documents.read<Heartbeat & { keys?: number }>(
            'state',
            heartbeatPath('sweep', name),
          );
          return found ? `last ended ${found.value.at}, ${found.value.keys} keys` : 'not yet';
        }),
      ),
    ]),
    heartbeatAges(world),
  ]);
  const late = Array.isArray(heartbeats) ? heartbeats.some(({ overdue }) => overdue) : true;
  const healthy = checks.every((each) => each.ok) && !late;
  return { status: healthy ? 200 : 503, body: { installation: world.installation, healthy, checks, heartbeats } };
}

/** Each heartbeat with its age in seconds; that of the watch is when it last looked. */
async function heartbeatAges(world: World) {
  try {
    const { standing, away, memory, lastLook } = await judgeNow(world);
    if (lastLook === undefined) await beginWatch(world, memory);
    const now = world.clock.now().getTime();
    const age = (at: string | undefined) => (at === undefined ? null : Math.round((now - Date.parse(at)) / 1000));
    return [
      { name: 'watch', at: lastLook ?? null, ageSeconds: age(lastLook), overdue: away !== undefined },
      ...standing.map(({ name, hsm, last, dueBy, overdue }) => ({
        name,
        ...(hsm === undefined ? {} : { hsm }),
        at: last ?? null,
        ageSeconds: age(last),
        dueBy,
        overdue,
      })),
    ];
  } catch (error) {
    return { unknown: error instanceof Error ? error.message : String(error) };
  }
}

async function check(name: string, look: () => Promise<string>) {
  try {
    return { name, ok: true, found: await look() };
  } catch (error) {
    return { name, ok: false, found: error instanceof Error ? error.message : String(error) };
  }
}
