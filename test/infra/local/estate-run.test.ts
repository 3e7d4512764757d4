import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { EventGridPublisherClient } from '@azure/eventgrid';
import { KeyClient } from '@azure/keyvault-keys';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_SUBSCRIPTIONS } from '../../../infra/local/estate-options.ts';
import { type RunningEstate, startEstate } from '../../../infra/local/estate-run.ts';
import { IDENTITIES, type Identity } from '../../../infra/local/identity/registrations.ts';
import type { Ready } from '../../../infra/local/ready-file.ts';
import type { Happening } from '../../../infra/local/story.ts';
import { eventually, scratch } from './support/parts.ts';
import { buildWorkshop } from './support/workshop.ts';

const DAY = 86_400_000;
const workshop = await buildWorkshop();
const directory = await scratch();
const happenings: Happening[] = [];
let estate: RunningEstate;

beforeAll(async () => {
  estate = await startEstate({
    seed: 'empty',
    host: workshop,
    settings: { MHSM_INSTALLATION: 'tested' },
    subscriptions: [
      ...DEFAULT_SUBSCRIPTIONS,
      {
        name: 'to-function',
        destination: { kind: 'function', functionName: 'keyEventEventGrid' },
        schema: 'CloudEventSchemaV1_0',
      },
    ],
    onHappening: (happening) => happenings.push(happening),
  });
});
afterAll(() => estate?.stop());

const credential = (of: RunningEstate, identity: Identity, audience: string) => ({
  async getToken() {
    const { token, expiresOn } = await of.tokens.forIdentity(identity, audience);
    return { token, expiresOnTimestamp: expiresOn * 1000 };
  },
});
const control = async (method: string, path: string, body?: unknown) => {
  const text = body === undefined ? '' : JSON.stringify(body);
  const reply = await estate.call({ method, url: `${estate.ready.control}${path}`, body: text });
  return { status: reply.status, body: reply.body.length > 0 ? JSON.parse(reply.body.toString()) : undefined };
};
interface Seen {
  timer: number;
  queue: { id: string }[];
  grid: { id: string }[];
  now: string;
  installation: string;
}
const seen = async (): Promise<Seen> => {
  const reply = await estate.call({ method: 'GET', url: `${estate.ready.host}/api/seen` });
  return JSON.parse(reply.body.toString()) as Seen;
};
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe('A running estate', () => {
  test('gives clients all that the ready file promises', () => {
    expect(estate.ready).toMatchObject({
      host: expect.stringMatching(/^http:\/\/localhost:\d+$/),
      hsms: [
        {
          name: 'contoso',
          uri: expect.stringMatching(/^https:\/\/contoso\.managedhsm\.azure\.net:\d+$/),
          ip: '127.0.0.1',
        },
      ],
      topic: expect.stringContaining('/api/events'),
      env: { AZURE_CLIENT_ID: IDENTITIES.administrator.clientId, IDENTITY_HEADER: expect.any(String) },
      tokens: {
        viewer: expect.any(String),
        operator: expect.any(String),
        approver: expect.any(String),
        auditor: expect.any(String),
      },
      hostPid: expect.any(Number),
    });
  });

  test('starts the app with its settings, the extra ones on top', async () => {
    expect((await seen()).installation).toBe('tested');
  });

  test('serves its HSM to the unmodified key client, and writes the audit row', async () => {
    const administrator = credential(estate, IDENTITIES.administrator, 'https://managedhsm.azure.net');
    const keys = new KeyClient(estate.ready.hsms[0]?.uri ?? '', administrator);
    const key = await keys.createKey('orders', 'EC-HSM', { hsm: true });
    expect(key.keyType).toBe('EC-HSM');
    expect(happenings).toContainEqual(
      expect.objectContaining({ kind: 'audit', row: expect.objectContaining({ operationName: 'KeyCreate' }) }),
    );
  });

  test('brings published events to the app by both doors', async () => {
    const sender = credential(estate, IDENTITIES.observe, 'https://eventgrid.azure.net');
    const topic = new EventGridPublisherClient(estate.ready.topic, 'CloudEvent', sender);
    await topic.send([
      { id: 'e-1', type: 'ManagedHsmLifecycle.KeyNearExpiry', source: '/hsm', subject: 'keys/orders', data: {} },
    ]);
    const told = await eventually('both doors opened', async () => {
      const all = await seen();
      return all.queue.length > 0 && all.grid.length > 0 ? all : undefined;
    });
    expect(told.queue[0]?.id).toBe('e-1');
    expect(told.grid[0]?.id).toBe('e-1');
  });

  test('moves the app’s time and timers with its own', async () => {
    const { status } = await control('POST', '/clock', { advance: 'P2D' });
    expect(status).toBe(200);
    const told = await eventually('the timer fired', async () => {
      const all = await seen();
      return all.timer > 0 ? all : undefined;
    });
    expect(Math.abs(Date.parse(told.now) - estate.estate.clock.now().getTime())).toBeLessThan(60_000);
  });

  test('runs a timer on demand, and says so when there is none of that name', async () => {
    const before = (await seen()).timer;
    await estate.runTimer('sweepTimer');
    await eventually('the timer ran', async () => ((await seen()).timer > before ? true : undefined));
    await expect(estate.runTimer('nothing')).rejects.toThrow(/no function nothing/);
  });

  test('loses its host when it is killed, keeps everything else, and starts it again at the same address', async () => {
    const { body: killed } = await control('POST', '/host/kill');
    expect(killed).toMatchObject({ up: false, pid: null });
    await expect(seen()).rejects.toThrow();
    expect((await control('GET', '/clock')).body.offsetMs).toBe(2 * DAY);
    const { body: back } = await control('POST', '/host/restart');
    expect(back).toMatchObject({ up: true, url: estate.ready.host });
    expect(Math.abs(Date.parse((await seen()).now) - estate.estate.clock.now().getTime())).toBeLessThan(60_000);
  });

  test('brings a host that crashed back by itself', async () => {
    const before = estate.host?.pid;
    await estate.call({ method: 'POST', url: `${estate.ready.host}/api/crash` });
    await eventually('another process serves', () =>
      estate.host?.isUp && estate.host.pid !== before ? true : undefined,
    );
    expect((await seen()).installation).toBe('tested');
  });

  test('goes back to its seed: keys, records, clock and the app’s memory', async () => {
    expect((await control('POST', '/reset')).status).toBe(204);
    expect((await control('GET', '/clock')).body.offsetMs).toBe(0);
    expect((await control('GET', '/events')).body.value).toEqual([]);
    expect((await control('GET', '/hsms/contoso/state')).body.keys).toEqual([]);
    expect(await seen()).toMatchObject({ timer: 0, queue: [], grid: [] });
  });
});

describe('An estate that keeps its state', () => {
  const stateDirectory = join(directory, 'kept');
  const start = () => startEstate({ seed: 'empty', stateDirectory, host: false });

  test('comes back with its keys, mail, time, secrets and tokens', async () => {
    const first = await start();
    await first.hsms[0]?.plant({ name: 'orders', kty: 'EC-HSM', crv: 'P-256', expires: 'P20D', tags: { owner: 'me' } });
    await first.storage.putBlob('state', 'inventory.json', '{}', 'application/json');
    first.estate.clock.advance(3 * DAY);
    const [version] = first.hsms[0]?.keys().keys[0]?.versions ?? [];
    const { token } = await first.tokens.forIdentity(IDENTITIES.observe, 'a');
    await first.stop();

    const second = await start();
    expect(second.estate.clock.offsetMs).toBe(3 * DAY);
    expect(second.hsms[0]?.keys().keys[0]?.versions[0]).toMatchObject({
      version: version?.version,
      tags: { owner: 'me' },
    });
    await expect(second.tokens.verify(token, 'a')).resolves.toMatchObject({ name: 'observe' });
    expect(second.ready.appKeys).toEqual(first.ready.appKeys);
    expect(second.ready.env.IDENTITY_HEADER).toBe(first.ready.env.IDENTITY_HEADER);
    const blob = await second.call({
      method: 'HEAD',
      url: `${second.storage.blobUrl}/state/inventory.json`,
      headers: {
        authorization: `Bearer ${(await second.tokens.forIdentity(IDENTITIES.observe, 'https://storage.azure.com')).token}`,
        'x-ms-version': '2025-11-05',
      },
    });
    expect(blob.status).toBe(200);
    await second.stop();
  });
});

describe('A launcher that is killed', () => {
  test('leaves no host behind', async () => {
    const { directory: host, appRoot, launcher } = workshop;
    const child = spawn(process.execPath, [launcher, host, appRoot, join(directory, 'killed')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ready = await new Promise<Ready>((resolve, reject) => {
      let text = '';
      child.once('exit', (code) => reject(new Error(`The launcher ended with code ${code}.`)));
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString();
        if (text.includes('\n')) resolve(JSON.parse(text) as Ready);
      });
    });
    const pid = ready.hostPid ?? 0;
    expect(isAlive(pid)).toBe(true);
    child.removeAllListeners('exit');
    child.kill('SIGKILL');
    await eventually('the host ended', () => (isAlive(pid) ? undefined : true));
  });
});

describe('An estate that cannot start', () => {
  test('says why and lets go of every port', async () => {
    const taken = new URL(estate.ready.control).port;
    // The topic's place in the run of fixed ports is the one that is taken.
    const port = Number(taken) - 5;
    await expect(startEstate({ seed: 'empty', host: false, port })).rejects.toThrow(/EADDRINUSE/);
    await expect(startEstate({ seed: 'empty', host: false, port })).rejects.toThrow(/EADDRINUSE/);
  });

  test('passes on what the app says when it does not load', async () => {
    const { directory: host } = workshop;
    const start = startEstate({ seed: 'empty', host: { directory: host, appRoot: join(host, 'no-app') } });
    await expect(start).rejects.toThrow(/host\.json/);
  });
});
