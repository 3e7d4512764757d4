import { describe, expect, it } from 'vitest';
import { timeRehearsal } from '../../../shared/drill/time-rehearsal.ts';
import { buildRunbook, type RecoveryStepName, type StepReport } from '../../../shared/recovery/runbook.ts';

const START = '2030-01-01T00:00:00.000Z';
const at = (minute: number) => new Date(Date.parse(START) + minute * 60_000).toISOString();
const names = {
  ...{ recovery: 'rehearse-drill', hsm: 'contoso', hsmUri: 'https://contoso', newHsm: 'drill-0123', holders: ['Ada'] },
  administrators: [],
  rehearsal: {
    ...{ drill: 'drill-contoso-1', newHsm: 'drill-0123', softDeleteDays: 7, region: 'northeurope' },
    ...{ cost: ['601.92 USD'], until: '2030-01-04T00:00:00Z' },
  },
};
const COURSE: [RecoveryStepName, number][] = [
  ['approveCost', 60],
  ['prerequisites', 61],
  ['assemble', 180],
  ['createHsm', 190],
  ['enterRecovery', 191],
  ['attachIdentity', 195],
  ['reWrap', 220],
  ['upload', 225],
  ['awaitActivation', 227],
  ['safetyBackup', 230],
  ['stageBackup', 231],
  ['restore', 270],
];
const reports = (until: number): StepReport[] =>
  COURSE.filter(([, minute]) => minute <= until).map(([step, minute]) => ({
    ...{ step, result: 'done' as const, by: 'x', at: at(minute), evidence: `${step} seen` },
  }));
const time = (until: number, end = until) => timeRehearsal(buildRunbook(names, reports(until)), START, at(end));

describe('a rehearsal', () => {
  it('walks the steps of a recovery, without the loss, the new addresses, and a second approval', () => {
    const { steps, ready } = buildRunbook(names, []);
    expect(steps.map(({ name }) => name)).toEqual(COURSE.map(([step]) => step));
    expect(ready).toEqual(['approveCost']);
    expect(steps[0]?.what.join(' ')).toContain('601.92 USD');
    expect(buildRunbook(names, reports(270)).complete).toBe(true);
  });

  it('makes nothing before its holders are together, and names them when it calls', () => {
    const runbook = buildRunbook(names, reports(61));
    expect(runbook.ready).toEqual(['assemble']);
    expect(runbook.steps.find(({ name }) => name === 'assemble')?.who).toContain('Ada');
  });
});

describe('timeRehearsal', () => {
  it('gives the time in which only people could go on to them, and the rest to the machine', () => {
    // Approval 60, gathering 119, then re-wrapping from 195 on, because the identity was being attached until then, and 5.
    expect(time(270).peopleSeconds).toBe((60 + 119 + 25 + 5) * 60);
  });

  it('shows each step from when it could begin until it was over', () => {
    const { steps } = time(270);
    expect(steps.find(({ name }) => name === 'rehearsal.assemble')).toMatchObject({
      ...{ startedOn: at(61), endedOn: at(180), result: 'done', by: 'people', waitedSeconds: 119 * 60 },
    });
    expect(steps.find(({ name }) => name === 'rehearsal.createHsm')).toMatchObject({ startedOn: at(180) });
    expect(steps.find(({ name }) => name === 'rehearsal.createHsm')).not.toHaveProperty('by');
    expect(steps).toHaveLength(COURSE.length);
  });

  it('counts the waiting for people who never came', () => {
    const { steps, peopleSeconds } = time(61, 4000);
    expect(peopleSeconds).toBe((60 + 3939) * 60);
    expect(steps.at(-1)).toMatchObject({ name: 'rehearsal.assemble', result: 'skipped', endedOn: at(4000) });
  });

  it('charges nobody for a drill that ended at once', () => {
    expect(timeRehearsal(buildRunbook(names, []), START, START).peopleSeconds).toBe(0);
  });
});
