import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { instantOf, obtainSeed } from '../../../infra/local/seed/seed.ts';
import { scratch } from './support/parts.ts';

const directory = await scratch();
const file = async (content: unknown) => {
  const path = join(directory, 'seed.json');
  await writeFile(path, JSON.stringify(content));
  return path;
};
const hsm = { name: 'initech', resourceId: '/subscriptions/s/managedHSMs/initech' };

describe('A seed', () => {
  test('empty is one HSM without keys', async () => {
    expect(await obtainSeed('empty')).toMatchObject({ hsms: [{ name: 'contoso', keys: [] }] });
  });

  test('single is the first HSM of the demo alone', async () => {
    const [demo, single] = [await obtainSeed('demo'), await obtainSeed('single')];
    expect(single.hsms).toEqual(demo.hsms.slice(0, 1));
  });

  test('can be a file', async () => {
    const keys = [{ name: 'tps-reports', kty: 'RSA-HSM', size: 2048, created: '-P1Y', expires: 'P2W' }];
    const seed = await obtainSeed(await file({ hsms: [{ ...hsm, keys }] }));
    expect(seed.hsms[0]).toMatchObject({ name: 'initech', keys });
  });

  test('file that is wrong is refused with every fault named', async () => {
    const keys = [{ name: 'a b', kty: 'RSA', created: 'once' }];
    const path = await file({ hsms: [{ ...hsm, keys }], extra: 1 });
    const failure = await obtainSeed(path).then(String, String);
    for (const fault of ['keys[0].name', 'keys[0].kty', 'keys[0].created', 'extra']) expect(failure).toContain(fault);
  });

  test('that does not exist says what a seed may be', async () => {
    await expect(obtainSeed('/nowhere/seed.json')).rejects.toThrow(/empty, demo, single, drill or a file/);
  });

  test('counts its durations from now and takes instants as they are', () => {
    const now = new Date('2030-01-10T00:00:00Z');
    expect(instantOf('P5D', now).toISOString()).toBe('2030-01-15T00:00:00.000Z');
    expect(instantOf('-P1M', now).toISOString()).toBe('2029-12-10T00:00:00.000Z');
    expect(instantOf('2031-01-01T00:00:00Z', now).toISOString()).toBe('2031-01-01T00:00:00.000Z');
  });
});
