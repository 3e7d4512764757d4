import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { inputs } from '../../functions/contracts/inputs.ts';

/** Orchestrations as main.ts registers them: the host knows activities and orchestrations by one set of names. */
const main = readFileSync(new URL('../../functions/main.ts', import.meta.url), 'utf8');
const registered = /implementOrchestrations\(\{([^}]*)\}\)/.exec(main)?.[1] ?? '';
const orchestrations = registered
  .split(',')
  .map((name) => name.trim())
  .filter(Boolean);

test('no orchestration has the name of an activity, because the host refuses to load two functions of one name', () => {
  expect(orchestrations).toContain('rotateKey');
  expect(orchestrations.filter((name) => Object.hasOwn(inputs, name))).toEqual([]);
});
