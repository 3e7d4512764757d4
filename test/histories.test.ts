import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { answers } from './support/answers.ts';
import { type RecordedHistory, record, replay } from './support/replay.ts';
import { ORCHESTRATORS, STORIES } from './support/stories.ts';

const folder = new URL('histories/', import.meta.url);
const ENDING = '.history.json';

if (process.env.RECORD_HISTORIES) {
  for (const [name, { orchestration, instanceId, input, overrides }] of Object.entries(STORIES)) {
    const history = record(orchestration, orchestratorOf(orchestration), {
      input,
      instanceId,
      now: '2030-01-01T00:00:00.000Z',
      answer: answers(overrides),
    });
    writeFileSync(new URL(`${name}${ENDING}`, folder), `${JSON.stringify(history, null, 2)}\n`);
  }
}

const files = readdirSync(folder).filter((file) => file.endsWith(ENDING));

describe('an instance that was under way before this build', () => {
  test('is covered for every orchestration', () => {
    const recorded = new Set(files.map((file) => readHistory(file).orchestration));
    expect([...recorded].sort()).toEqual(Object.keys(ORCHESTRATORS).sort());
  });

  test.each(files)('goes on where it was: %s', (file) => {
    const { orchestration, instanceId, startedOn, input, turns, outcome } = readHistory(file);
    const again = replay(orchestratorOf(orchestration), {
      input,
      instanceId,
      now: startedOn,
      answer: (asked, turn) => {
        expect(asked, `question ${turn + 1}`).toEqual(turns[turn]?.asked);
        return turns[turn]?.told ?? { throws: 'the recorded history ends here' };
      },
    });
    expect(again.asked).toHaveLength(turns.length);
    expect(JSON.parse(JSON.stringify(again.outcome))).toEqual(outcome);
  });
});

function readHistory(file: string): RecordedHistory {
  return JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as RecordedHistory;
}

function orchestratorOf(name: string) {
  const found = ORCHESTRATORS[name];
  if (found) return found;
  throw new Error(`no orchestration is called ${name} any more, and instances of it may be under way`);
}
