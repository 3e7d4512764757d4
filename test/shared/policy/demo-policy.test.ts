import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { effectiveRule } from '../../../shared/policy/effective-rule.ts';
import { parsePolicy } from '../../../shared/policy/schema.ts';

const parsed = parsePolicy(
  readFileSync(new URL('../../../infra/local/seed/demo-policy.json', import.meta.url), 'utf8'),
);

describe('the demo policy', () => {
  it('is free of faults', () => {
    expect(parsed.kind === 'valid' ? [] : parsed.faults).toEqual([]);
  });

  it.each([
    ['payments-kek', 'tier0', 'P45D', 'payments@contoso.example'],
    ['storage-cmk-claims', 'data', 'P30D', 'data-platform@contoso.example'],
    ['issuing-ca-2026', 'ca', 'P90D', 'pki@contoso.example'],
    ['redis-session', undefined, 'P30D', 'key-custodians@contoso.example'],
  ])('gives %s the class %s', (name, className, before, recipient) => {
    if (parsed.kind !== 'valid') throw new Error('The demo policy does not parse.');
    const effective = effectiveRule(parsed.policy, 'contoso-hsm', name, {}, 'demo');
    expect(effective.class).toBe(className);
    expect(effective.rule.rotation.before).toBe(before);
    expect(effective.rule.notice.notify).toContain(recipient);
    expect(effective.notes).toEqual([]);
  });
});
