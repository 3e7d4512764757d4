import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { IDENTITIES } from '../../../../../infra/local/identity/registrations.ts';
import { inProject } from '../../../../../infra/local/project.ts';
import { type Answered, backupBench } from './support.ts';

interface Recorded {
  RequestUri: string;
  RequestMethod: string;
  RequestBody: unknown;
  StatusCode: number;
  ResponseHeaders: Record<string, string>;
  ResponseBody: Record<string, unknown> | null;
}

const recordings = inProject('../shared/spec/recordings');
const absent = !existsSync(recordings);
if (absent) console.warn(`Skipped: the recordings are not at ${recordings}.`);

const entriesOf = (file: string): Recorded[] =>
  JSON.parse(readFileSync(`${recordings}/${file}.json`, 'utf8')).Entries as Recorded[];

const bench = await backupBench();
const source = await bench.startHsm({});
await source.hsm.seedKey({ name: 'rsa1', kty: 'RSA-HSM', size: 2048, versions: 2, pooledMaterial: true });
// The recorded HSM had older backups, which is why its restore could follow the backup at once.
const folder = await bench.backUp(source);
bench.clock.advance(1_800_000);

describe.skipIf(absent)('What the live service was recorded to answer is answered here', () => {
  test.each(['mhsm-full-backup-and-restore.2025-07-01', 'mhsm-failed-operations.7.6'])('%s', async (file) => {
    await replay(entriesOf(file));
  });

  test('mhsm-selective-key-restore.7.5', async () => {
    await source.send('DELETE', '/keys/rsa1');
    await replay(entriesOf('mhsm-selective-key-restore.7.5'));
  });

  test('mhsm-error-responses, of backup and restore', async () => {
    const entries = entriesOf('mhsm-error-responses').filter(({ RequestUri }) =>
      /^\/(backup|restore)$/.test(new URL(RequestUri).pathname),
    );
    expect(entries).toHaveLength(2);
    await replay(entries);
  });
});

describe.skipIf(absent)('Every operation of the description has a route', () => {
  test.each(['administration', 'securitydomain'])('%s', async (file) => {
    const description = JSON.parse(readFileSync(inProject(`../shared/spec/keyvault/2025-07-01/${file}.json`), 'utf8'));
    const examples = { jobId: '0'.repeat(32), keyName: 'some-key', scope: '', 'setting-name': 'x' };
    for (const [path, methods] of Object.entries<object>(description.paths)) {
      const example = path.replace(/\{([\w-]+)\}/g, (_whole, name: string) => {
        const given = Object.entries(examples).find(([one]) => one === name)?.[1];
        return given ?? '00000000-0000-4000-8000-000000000000';
      });
      for (const method of Object.keys(methods)) {
        const answer = await source.send(method.toUpperCase(), example, {}, IDENTITIES.eventGrid);
        expect(answer.body.error?.code, `${method} ${path}`).toBe('AccessDenied');
      }
    }
  });
});

async function replay(entries: Recorded[]): Promise<void> {
  const jobs = new Map<string, string>();
  for (const entry of entries) {
    const url = new URL(entry.RequestUri);
    const path = url.pathname.replace(/[0-9a-f]{32}/, (recorded) => jobs.get(recorded) ?? recorded);
    if (entry.ResponseBody?.status === 'Succeeded') bench.clock.advance(60_000);
    const answer = await source.send(
      entry.RequestMethod,
      `${path}${url.search}`,
      entry.RequestBody === null ? undefined : withOurNames(entry.RequestBody),
      entry.StatusCode === 401 ? null : IDENTITIES.administrator,
    );
    const where = `${entry.RequestMethod} ${path}: ${answer.text}`;
    expect(answer.status, where).toBe(entry.StatusCode);
    compareHeaders(entry, answer);
    compareBodies(entry.ResponseBody, answer, where);
    if (entry.ResponseBody?.jobId) jobs.set(String(entry.ResponseBody.jobId), String(answer.body.jobId));
  }
}

const withOurNames = (body: unknown): unknown =>
  JSON.parse(JSON.stringify(body), (name, value) => {
    if (name === 'storageResourceUri') return bench.landing.url;
    if (name === 'folder' || name === 'folderToRestore') return folder;
    return value;
  });

function compareHeaders(entry: Recorded, answer: Answered): void {
  for (const [name, value] of Object.entries(entry.ResponseHeaders)) {
    const given = answer.headers[name.toLowerCase()];
    expect(given, name).toBeDefined();
    const varies = /content-length|date|latency|authenticate|network-info|region|-id$|asyncoperation|build-version/i;
    if (!varies.test(name)) expect(given, name).toBe(value);
  }
  for (const name of ['azure-asyncoperation', 'retry-after', 'x-ms-build-version', 'api-supported-versions']) {
    const recorded = Object.keys(entry.ResponseHeaders).some((one) => one.toLowerCase() === name);
    expect(name in answer.headers, `${name} of ${entry.RequestMethod} ${entry.RequestUri}`).toBe(recorded);
  }
}

/** Order and types of members; texts and codes as they are. */
function compareBodies(recorded: Recorded['ResponseBody'], answer: Answered, where: string): void {
  if (recorded === null) return void expect(answer.text, where).toBe('');
  expect(Object.keys(answer.body), where).toEqual(Object.keys(recorded));
  const { error, status, statusDetails } = recorded;
  if (error) expect(JSON.stringify(answer.body.error), where).toBe(JSON.stringify(error));
  expect(answer.body, where).toMatchObject({
    ...(status === undefined ? {} : { status }),
    ...(statusDetails === undefined ? {} : { statusDetails }),
  });
  for (const [name, value] of Object.entries(recorded)) {
    expect(typeof answer.body[name], `${name} in ${where}`).toBe(typeof value);
    expect(answer.body[name] === null, `${name} in ${where}`).toBe(value === null);
  }
}
