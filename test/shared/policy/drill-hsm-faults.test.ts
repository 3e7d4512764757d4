import { describe, expect, it } from 'vitest';
import type { PolicyDocument } from '../../../shared/policy/document.ts';
import { parsePolicy } from '../../../shared/policy/schema.ts';

const standing = (hsm: string) => ({ target: { kind: 'standing' as const, hsm } });

const faultsOf = (changes: Partial<PolicyDocument>, hsms?: string[]) => {
  const parsed = parsePolicy(JSON.stringify({ version: 1, owners: { fallback: ['k@example.org'] }, ...changes }), hsms);
  return parsed.kind === 'valid' ? [] : parsed.faults;
};

describe('a standing drill HSM', () => {
  it.each<[string, Partial<PolicyDocument>, string[], string[]]>([
    ['is the only HSM', { drills: standing('contoso') }, ['contoso'], ['drills.target.hsm']],
    ['is the only HSM in other letters', { drills: standing('Contoso') }, ['contoso'], ['drills.target.hsm']],
    [
      'is the only HSM, by a pattern',
      { hsms: [{ match: '*', drills: standing('contoso') }] },
      ['contoso'],
      ['hsms[0].drills.target.hsm'],
    ],
    [
      'is there for each of two HSMs, the other one',
      {
        hsms: [
          { match: 'contoso', drills: standing('fabrikam') },
          { match: 'fabrikam', drills: standing('contoso') },
        ],
      },
      ['contoso', 'fabrikam'],
      ['hsms[1].drills.target.hsm', 'hsms[0].drills.target.hsm'],
    ],
    [
      'is the HSM that an entry names',
      { hsms: [{ match: 'contoso', drills: standing('contoso') }] },
      ['contoso', 'contoso-drill'],
      ['hsms[0].drills.target.hsm'],
    ],
    [
      'is to be drilled itself',
      { drills: standing('contoso-drill'), hsms: [{ match: 'contoso-drill', drills: { mode: 'on' } }] },
      ['contoso', 'contoso-drill'],
      ['hsms[0].drills.target.hsm'],
    ],
  ])('that %s is a fault', (_title, policy, hsms, paths) => {
    expect(faultsOf(policy, hsms).map(({ path }) => path)).toEqual(paths);
  });

  it('that is all there is says what it would end, and what to write instead', () => {
    expect(faultsOf({ drills: standing('contoso') }, ['contoso'])).toEqual([
      {
        path: 'drills.target.hsm',
        rule: 'leaves an HSM of this installation in production: a drill HSM is neither rotated nor backed up by the clock',
        got: '"contoso"',
        example: 'contoso-drill',
      },
    ]);
  });

  it.each<[string, Partial<PolicyDocument>, string[]]>([
    ['stands beside one in production', { drills: standing('contoso-drill') }, ['contoso', 'contoso-drill']],
    [
      'is matched by the pattern that names it',
      { hsms: [{ match: 'contoso*', drills: standing('contoso-drill') }] },
      ['contoso', 'contoso-drill'],
    ],
    ['is not of this installation', { drills: standing('elsewhere') }, ['contoso']],
    [
      'is alone and backed up because an entry names it',
      { drills: standing('contoso'), hsms: [{ match: 'contoso', backup: { mode: 'on' } }] },
      ['contoso'],
    ],
    [
      'is alone and rotated because an entry names it',
      { drills: standing('contoso'), keys: [{ match: '*', hsm: 'contoso', rotation: { mode: 'rotate' } }] },
      ['contoso'],
    ],
    ['has settings that name no HSM yet', { drills: standing('contoso') }, []],
  ])('that %s is none', (_title, policy, hsms) => {
    expect(faultsOf(policy, hsms)).toEqual([]);
  });
});
