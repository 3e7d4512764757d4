import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWorkshop, startHost, until, type Workshop } from './support.ts';

let workshop: Workshop;

beforeAll(async () => {
  workshop = await openWorkshop(['bad-load-app']);
});

afterAll(() => workshop.dispose());

const load = (fault: string, settings: Record<string, string> = {}) =>
  startHost(workshop, { app: 'bad-load-app', settings: { FIXTURE_FAULT: fault, ...settings } });

describe('the host refuses an app', () => {
  test.each([
    ['that throws while loading, with every line of its message', 'throws', /A is missing\n {2}B is missing/],
    ['that registers nothing', 'nothing', /registered no function/],
    ['that registers a name twice', 'duplicate', /"one" has already been registered/],
    ['whose schedule names an absent setting', 'schedule', /Function 'one': '%ABSENT%' does not resolve/],
  ])('%s', async (_, fault, message) => {
    await expect(load(fault)).rejects.toThrow(message);
  });
});

test('a function registered after loading is an error of that call alone', async () => {
  const host = await load('late');
  expect((await host.fetch('/api/one')).status).toBe(500);
  await until(
    () => host.messages,
    (all) => all.some((each) => each.message?.includes('registered after the app has finished loading')),
  );
  await host.kill();
});
