import type { Check, Fact } from '../message.ts';
import type { ToldCheck } from '../notice.ts';

/** The operations of a proof, each as what it means to a consumer. */
const MEANING: ReadonlyMap<string, string> = new Map([
  ['wrapKey', 'wraps a data key'],
  ['unwrapKey', 'unwraps a data key'],
  ['encrypt', 'encrypts'],
  ['decrypt', 'decrypts'],
  ['sign', 'signs'],
  ['verify', 'verifies a signature'],
  ['use', 'can be used'],
]);

/** Of the version before, what counts is that it still opens. */
const MEANING_OLD: ReadonlyMap<string, string> = new Map([
  ['unwrapKey', 'still unwraps what was wrapped with it'],
  ['decrypt', 'still decrypts what was encrypted with it'],
  ['verify', 'still verifies what was signed with it'],
  ['open', 'still opens what was protected with it'],
]);

/** A proof in the words of somebody who uses the key, and how each check came out. */
export const toldChecks = (checks: readonly ToldCheck[]): Check[] =>
  checks.map(({ operation, version, algorithm, result, detail }) => {
    const meaning = (version === 'old' ? MEANING_OLD.get(operation) : undefined) ?? MEANING.get(operation);
    const did = meaning ?? `performs ${operation}`;
    // What cannot be tried has no algorithm.
    const by = algorithm === 'none' ? '' : ` (${operation}, ${algorithm})`;
    return {
      text: `The ${version} version ${did}${by}`,
      result,
      ...(detail === undefined ? {} : { detail }),
    };
  });

/** Attributes of the new version that came out otherwise than asked for. */
export const differenceFacts = (
  differences: readonly { attribute: string; expected: string; found: string }[],
): Fact[] =>
  differences.map(({ attribute, expected, found }) => ({
    label: 'Differs',
    value: `${attribute} is ${found}, expected ${expected}`,
  }));
