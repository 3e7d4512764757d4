import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { DETECTORS } from '../../../shared/detection/detectors/index.ts';
import { PARAMETERS } from '../../../shared/detection/parameters.ts';
import { DETECTOR_IDS, type DetectorId } from '../../../shared/detection/rule.ts';
import { compareSeverity } from '../../../shared/detection/score.ts';
import { aRule, detect, grownMemory, someFacts } from './builders.ts';
import { FIXTURES, type Fixture } from './fixtures.ts';

const root = new URL('../../../', import.meta.url).pathname;

const said = (id: DetectorId, { facts, memory, rule }: Fixture) =>
  detect(someFacts(facts), memory ?? grownMemory(), aRule(rule)).findings.filter(({ detector }) => detector === id);

describe('every detector', () => {
  test('is a file, a row of parameters and an entry of the list, under one name', () => {
    const files = readdirSync(`${root}shared/detection/detectors`).filter((name) => name !== 'index.ts');
    const ids = DETECTORS.map(({ id }) => id);
    expect([...ids].sort()).toEqual(files.map((name) => name.replace('.ts', '')).sort());
    expect([...ids].sort()).toEqual([...DETECTOR_IDS].sort());
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each(DETECTORS.map((detector) => [detector.id, detector] as const))(
    '%s says what a person needs',
    (_, detector) => {
      expect(detector.version).toBeGreaterThan(0);
      for (const text of [detector.sees, detector.method]) expect(text).toMatch(/^[A-Z].{20,}\.$/s);
      expect(detector.falsePositives.length).toBeGreaterThan(0);
      expect(detector.runbook.length).toBeGreaterThan(0);
      for (const technique of detector.techniques) expect(technique).toMatch(/^T\d{4}(\.\d{3})?$/);
      expect(detector.techniques.length).toBeGreaterThan(0);
      expect(compareSeverity(detector.severity.least, detector.severity.most)).toBeLessThanOrEqual(0);
    },
  );

  test.each(DETECTOR_IDS)('%s fires on its case, within its severities, and says who and what to do', (id) => {
    const detector = DETECTORS.find((each) => each.id === id);
    const findings = said(id, FIXTURES[id].fires);
    expect(findings.length).toBeGreaterThan(0);
    for (const finding of findings) {
      expect(finding.id).toMatch(/^[0-9a-f]{32}$/);
      expect(finding.severity).not.toBe('Informational');
      expect(compareSeverity(finding.severity, detector?.severity.least ?? 'Critical')).toBeGreaterThanOrEqual(0);
      expect(compareSeverity(finding.severity, detector?.severity.most ?? 'Low')).toBeLessThanOrEqual(0);
      expect(finding.title.length).toBeGreaterThan(10);
      expect(finding.nextStep.length).toBeGreaterThan(10);
    }
  });

  test.each(DETECTOR_IDS)('%s is silent, or Informational, on what looks like its case and is none', (id) => {
    for (const fixture of FIXTURES[id].silent) {
      expect(said(id, fixture).filter(({ severity }) => severity !== 'Informational')).toEqual([]);
    }
    expect(FIXTURES[id].silent.length).toBeGreaterThan(0);
  });

  test.each(DETECTOR_IDS)('%s says nothing when it is off', (id) => {
    const rule = aRule(FIXTURES[id].fires.rule);
    const off = { ...rule, detectors: { ...rule.detectors, [id]: { ...rule.detectors[id], on: false } } };
    expect(said(id, { ...FIXTURES[id].fires, rule: off })).toEqual([]);
  });
});

test('every parameter has limits around its default, and a sentence', () => {
  for (const parameters of Object.values(PARAMETERS)) {
    for (const { value, least, most, says } of Object.values(parameters)) {
      expect(value).toBeGreaterThanOrEqual(least);
      expect(value).toBeLessThanOrEqual(most);
      expect(says.length).toBeGreaterThan(10);
    }
  }
});

test('the README lists every detector with its severities, answer and techniques', () => {
  const readme = readFileSync(`${root}shared/detection/README.md`, 'utf8');
  for (const { id, sees, severity, response, techniques } of DETECTORS) {
    const range = severity.least === severity.most ? severity.least : `${severity.least} to ${severity.most}`;
    expect(readme).toContain(`| \`${id}\` | ${sees} | ${range} | \`${response}\` | ${techniques.join(', ')} |`);
  }
});
