import { policyInForce } from '../activities/policy-in-force.ts';
import type { Heartbeat } from '../activities/survey.ts';
import { heartbeatPath } from '../activities/survey.ts';
import { lookedAfter } from '../looked-after.ts';
import type { World } from '../world.ts';

/** Reaches for what every rotation needs, with the observing identity; changes nothing. */
export async function showHealth(world: World) {
  const checks = await Promise.all([
    check('state', async () => {
      const { version, rejected } = await policyInForce(world);
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
        const beat = await world.documents.read<Heartbeat>('state', heartbeatPath(name));
        return beat ? `last ended ${beat.value.at}, ${beat.value.keys} keys` : 'not yet';
      }),
    ),
  ]);
  const healthy = checks.every((each) => each.ok);
  return { status: healthy ? 200 : 503, body: { installation: world.installation, healthy, checks } };
}

async function check(name: string, look: () => Promise<string>) {
  try {
    return { name, ok: true, found: await look() };
  } catch (error) {
    return { name, ok: false, found: error instanceof Error ? error.message : String(error) };
  }
}
