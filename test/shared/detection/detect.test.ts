import { describe, expect, test } from 'vitest';
import { emptyMemory } from '../../../shared/detection/memory.ts';
import { aRule, detect, hsmCall, someFacts } from './builders.ts';

const download = hsmCall({ class: 'sd.download', path: '/securitydomain/download', status: 202 });

describe('detect', () => {
  test('says nothing of an empty window', () => {
    const { findings, memory } = detect(someFacts(), emptyMemory(), aRule());
    expect(findings).toEqual([]);
    expect(memory.since).toBe(someFacts().now);
  });

  test('judges a window twice with the same findings, and leaves the memory it was given as it was', () => {
    const before = emptyMemory();
    const first = detect(someFacts({ calls: [download] }), before, aRule());
    const second = detect(someFacts({ calls: [download] }), before, aRule());
    expect(first.findings).toHaveLength(1);
    expect(second).toEqual(first);
    expect(before).toEqual(emptyMemory());
  });
});
