import { afterEach, expect, test } from 'vitest';
import type { RunningEstate } from '../../infra/local/estate-run.ts';
import { IDENTITIES } from '../../infra/local/identity/registrations.ts';
import type { Observer } from '../../infra/local/scenarios/observer.ts';
import { recoverOn } from '../../infra/local/scenarios/recovery.ts';
import { runStory } from '../../infra/local/scenarios/story.ts';
import { STORAGE_AUDIENCE } from '../../infra/local/storage/proxy.ts';
import { buildRunbook } from '../../shared/recovery/runbook.ts';
import { bootEstate } from '../e2e/support.ts';

const NEW = 'contoso-two';
const STEPS = buildRunbook({ recovery: '', hsm: '', hsmUri: '', holders: [], administrators: [] }, []).steps;

const SOME_SIXTY_KILLS_MS = 540_000;

let estate: RunningEstate;

afterEach(() => estate?.stop());

test.each(['start', 'end'] as const)(
  'recoverHsm, killed at the %s of its turns and steps, makes one HSM and one job of each kind, reports each step once and leaves no lock',
  async (phase) => {
    const booted = await bootEstate({ seed: 'demo' });
    estate = booted.estate;
    const bootedOn = estate.estate.clock.now().getTime();
    const kills = killEverySecondTurn(phase);
    const accepted: string[] = [];
    estate.onHappening((happening) => {
      if (happening.kind !== 'audit' || happening.row.hsm !== NEW || happening.row.httpStatusCode !== 202) return;
      // Once it is looked after, the new HSM is backed up by its schedule as well, with the identity of backups.
      if (happening.row.identity.appid !== IDENTITIES.restore.clientId) return;
      accepted.push(happening.row.operationName);
    });
    const told = await runStory('recovery', (story) => recoverOn(story, patient(booted.look)));
    const killed = await kills.done();
    expect(told.failure).toBeUndefined();
    expect(killed).toContain('nextRecoveryStep');
    expect(killed.filter((name) => name === 'performRecoveryStep').length, 'kills of steps').toBeGreaterThan(5);

    expect(accepted, 'calls that the new HSM accepted').toEqual([
      'SecurityDomainRestore',
      'BackupCreate',
      'RestoreCreate',
    ]);
    expect(await stateBlob('state', `locks/${NEW}.json`), 'lock').toBeUndefined();
    const { reports } = JSON.parse((await stateBlob('state', `recoveries/recover-contoso-${NEW}/recovery.json`)) ?? '');
    const steps = STEPS.map(({ name }) => `${name} done`).toSorted();
    const inOrder = (entries: { step: string; result: string }[]) =>
      entries.map(({ step, result }) => `${step} ${result}`).toSorted();
    expect(inOrder(reports), 'reports').toEqual(steps);
    expect(inOrder(await journaledSteps(bootedOn)), 'journal').toEqual(steps);
  },
  SOME_SIXTY_KILLS_MS,
);

/** Every second invocation dies, so that each step is killed once and then may go on. */
function killEverySecondTurn(phase: 'start' | 'end') {
  const seen = new Map<string, number>();
  const killed: string[] = [];
  let working: Promise<void> = Promise.resolve();
  const stop = estate.onHappening((happening) => {
    if (happening.kind !== 'host' || happening.change.kind !== 'told') return;
    const { message } = happening.change;
    if (message.type !== 'invocation' || message.kind !== 'activity' || message.phase !== phase) return;
    if (!/^recover-/.test(message.instanceId ?? '')) return;
    const times = seen.get(message.name) ?? 0;
    seen.set(message.name, times + 1);
    if (times % 2 === 1) return;
    killed.push(message.name);
    working = working.then(async () => {
      await estate.host?.kill('SIGKILL');
      await estate.host?.start();
    });
  });
  return {
    async done() {
      stop();
      await working;
      return killed;
    },
  };
}

/** People who are answered by nobody, or by a host on its way down, say the same again. The story kills nothing itself. */
function patient(look: Observer): Observer {
  return {
    ...look,
    async api(method, path, options) {
      for (let attempt = 0; ; attempt++) {
        const answer = await look.api(method, path, options).catch(() => undefined);
        if (answer && answer.status < 500) return answer;
        if (attempt === 400) throw new Error(`${method} ${path}: no answer from the host`);
        await look.pause(150);
      }
    },
    killHost: async () => undefined,
  };
}

/** As the app has it; undefined when there is no such blob. */
async function stateBlob(container: string, name: string): Promise<string | undefined> {
  const { token } = await estate.tokens.forIdentity(IDENTITIES.administrator, STORAGE_AUDIENCE);
  const reply = await estate.call({
    method: 'GET',
    url: `${estate.storage.blobUrl}/${container}/${name}`,
    headers: { authorization: `Bearer ${token}`, 'x-ms-version': '2025-11-05' },
  });
  return reply.status === 200 ? reply.body.toString('utf8') : undefined;
}

/** Entries about steps, each id once: of a repeated id the first counts. */
async function journaledSteps(bootedOn: number): Promise<{ step: string; result: string }[]> {
  const entries = new Map<string, { step: string; result: string }>();
  const today = estate.estate.clock.now().getTime();
  for (let day = bootedOn; day <= today; day += 86_400_000) {
    const name = `${new Date(day).toISOString().slice(0, 10).replaceAll('-', '/')}.jsonl`;
    for (const line of ((await stateBlob('journal', name)) ?? '').split('\n').filter((each) => each !== '')) {
      const entry = JSON.parse(line);
      if (entry.class === 'recovery.step' && !entries.has(entry.id)) entries.set(entry.id, entry.detail);
    }
  }
  return [...entries.values()];
}
