import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../../shared/notification/compose-message.ts';
import type { Message, Severity } from '../../../shared/notification/message.ts';
import type { Notice } from '../../../shared/notification/notice.ts';
import { NEW_VERSION, OLD_VERSION } from '../builders.ts';
import { COMMAND, CONTEXT, denial, denied, EXAMPLES, identifier } from './examples.ts';

const { KeyRotated, RotationRefused, RotationReminder, RotationNotCounted, RotationFailed, PolicyDrift } = EXAMPLES;
const compose = (notice: Notice): Message => composeMessage(notice, CONTEXT);
const fact = (message: Message, label: string) => message.facts.find((each) => each.label === label)?.value;
const key = 'contoso/payments-card-pan';

const SUBJECTS: [what: string, Notice, subject: string, Severity][] = [
  ['a proven rotation', KeyRotated, `${key} rotated and proven`, 'info'],
  [
    'a rotation that permits no proof',
    { ...KeyRotated, proof: 'unproven' },
    `${key} rotated without proof`,
    'attention',
  ],
  ['a rotation with a warning', { ...KeyRotated, warnings: ['Soon spent.'] }, `${key} rotated and proven`, 'attention'],
  [
    "the HSM's own rotation",
    { ...KeyRotated, by: 'hsm', reason: 'Native' },
    `${key} rotated by the HSM and proven`,
    'info',
  ],
  ['a held key', RotationRefused, `${key} is due and held`, 'attention'],
  ['a held key that has expired', { ...RotationRefused, expired: true }, `${key} has expired and is held`, 'attention'],
  [
    'a key without versions left',
    { ...RotationRefused, refusal: { ...RotationRefused.refusal, reason: 'VersionBudgetSpent' } },
    `ACTION: ${key} is due and has no version left`,
    'attention',
  ],
  [
    'an expired key that cannot be rotated',
    { ...RotationRefused, expired: true, refusal: { ...RotationRefused.refusal, reason: 'RotationPolicyMissing' } },
    `CRITICAL: ${key} has expired and has no rotation policy on the HSM`,
    'critical',
  ],
  [
    'a key that is only reminded of',
    { ...RotationReminder, reminder: { ...RotationReminder.reminder, reason: 'RemindOnly' } },
    `ACTION: ${key} must be rotated by hand`,
    'attention',
  ],
  ['imported material', RotationReminder, `ACTION: ${key} must be rotated by hand`, 'attention'],
  [
    'imported material that has expired',
    { ...RotationReminder, expired: true },
    `CRITICAL: ${key} has expired and must be rotated by hand`,
    'critical',
  ],
  ['an unproven new version', RotationNotCounted, `CRITICAL: ${key} new version is not proven`, 'critical'],
  [
    'an incomplete new version',
    { ...RotationNotCounted, refusal: { ...RotationNotCounted.refusal, reason: 'CorruptVersion' } },
    `CRITICAL: ${key} new version is incomplete`,
    'critical',
  ],
  [
    'a missing permission',
    RotationFailed,
    `ACTION: ${key} rotation did not finish: a permission is missing`,
    'attention',
  ],
  [
    'a passing fault',
    { ...RotationFailed, failure: { code: 'ERR_TRANSIENT', message: 'No answer.', nextStep: 'Nothing at once.' } },
    `${key} rotation did not finish: the service did not answer as it should`,
    'attention',
  ],
  ['a repaired policy', PolicyDrift, `${key} rotation policy was set right`, 'info'],
  [
    'a policy that differs',
    { ...PolicyDrift, action: 'told' },
    `ACTION: ${key} rotation policy differs from its rule`,
    'attention',
  ],
  [
    'a rule that contradicts itself',
    { ...PolicyDrift, action: 'refused', differences: [] },
    `ACTION: ${key} rotation rule contradicts itself`,
    'attention',
  ],
  ['a faulty document', EXAMPLES.PolicyDocumentFault, 'ACTION: policy document rejected: 2 faults', 'attention'],
  ['a document that is gone', EXAMPLES.PolicyDocumentMissing, 'ACTION: policy document is gone', 'attention'],
  [
    'keys that cannot be read',
    EXAMPLES.KeysUnreadable,
    'ACTION: contoso: 2 keys could not be read: a permission is missing',
    'attention',
  ],
  [
    'a key that cannot be read just now',
    {
      ...EXAMPLES.KeysUnreadable,
      keys: ['orders'],
      failure: { code: 'ERR_TRANSIENT', message: 'No answer.', nextStep: 'Wait.' },
    },
    'contoso/orders could not be read: the service did not answer as it should',
    'attention',
  ],
  [
    'a key whose policy cannot be repaired',
    { ...EXAMPLES.KeysUnreadable, keys: ['orders'], work: 'repair' },
    'ACTION: contoso/orders could not be repaired: a permission is missing',
    'attention',
  ],
  ['a failed sweep', EXAMPLES.SweepFailed, 'CRITICAL: contoso could not be swept: a permission is missing', 'critical'],
];

describe('the subject', () => {
  test.each(SUBJECTS)('says at a glance: %s', (_, notice, subject, severity) => {
    expect(compose(notice)).toMatchObject({ subject: `[embedded] ${subject}`, severity });
  });
});

describe('every notice', () => {
  test.each(Object.values(EXAMPLES))('$kind says where, when and what to do', (notice) => {
    const message = compose(notice);
    expect(fact(message, 'Installation')).toBe('embedded');
    expect(fact(message, 'At')).toBe('2030-01-15 12:00 UTC');
    expect(message.paragraphs.length).toBeGreaterThan(0);
    expect(message.footer).toContain('embedded');
    if (!('key' in notice)) return;
    expect(message.greeting).toBe('Hello Payments,');
    expect(fact(message, 'HSM')).toBe('contoso, https://contoso.managedhsm.azure.net');
    expect(fact(message, 'Key')).toBe(`${key} (RSA-HSM)`);
    expect(fact(message, 'Tags')).toBe('application=Card vault');
  });

  test.each(Object.values(EXAMPLES))('$kind makes the same message each time', (notice) => {
    expect(compose(notice)).toEqual(compose(structuredClone(notice)));
  });

  test.each(Object.values(EXAMPLES))('$kind says instants as people do', (notice) => {
    const { commands, ...message } = compose(notice);
    expect(JSON.stringify(message)).not.toMatch(/ \d{4}-\d{2}-\d{2}T\d{2}:\d{2}/);
  });

  test('leaves the instant of a tag as it was written', () => {
    const tags = { hold: '2030-02-01T00:00:00Z' };
    expect(fact(compose({ ...KeyRotated, key: { ...KeyRotated.key, tags } }), 'Tags')).toBe(
      'hold=2030-02-01T00:00:00Z',
    );
  });
});

describe('a rotation', () => {
  test('names both versions, short and whole, and asks nothing of those who follow by themselves', () => {
    const message = compose(KeyRotated);
    expect(message.paragraphs[0]).toContain('aaaaaaaa → bbbbbbbb');
    expect(fact(message, 'Old version')).toBe(`aaaaaaaa, ${identifier(OLD_VERSION)}`);
    expect(fact(message, 'New version')).toBe(`bbbbbbbb, ${identifier(NEW_VERSION)}`);
    expect(message.mustDo).toEqual([]);
    expect(message.mustDoNote).toContain(`re-pointed to ${identifier(NEW_VERSION)}`);
  });

  test('tells its proof check by check, in words', () => {
    expect(compose(KeyRotated).checks).toEqual([
      { text: 'The new version wraps a data key (wrapKey, RSA-OAEP-256)', result: 'ok' },
      { text: 'The new version unwraps a data key (unwrapKey, RSA-OAEP-256)', result: 'ok' },
      { text: 'The old version still unwraps what was wrapped with it (unwrapKey, RSA-OAEP-256)', result: 'ok' },
    ]);
  });

  test('says of what could not be tried why, and names no algorithm', () => {
    const untried = { operation: 'open', version: 'old', algorithm: 'none', result: 'unprovable', detail: 'Disabled.' };
    const { checks } = compose({ ...KeyRotated, checks: [{ ...untried, version: 'old', result: 'unprovable' }] });
    const text = 'The old version still opens what was protected with it';
    expect(checks).toEqual([{ text, result: 'unprovable', detail: 'Disabled.' }]);
  });

  test('tells an operation that it has no words for by its name, even one that every object has', () => {
    const { checks } = compose({
      ...KeyRotated,
      checks: [{ operation: 'constructor', version: 'new', algorithm: 'none', result: 'ok' }],
    });
    expect(checks?.[0]?.text).toBe('The new version performs constructor');
  });

  test('asks to try a version that could not be proven, and to check what differs', () => {
    const message = compose({
      ...KeyRotated,
      proof: 'unproven',
      differences: [{ attribute: 'exportable', expected: 'false', found: 'true' }],
    });
    expect(message.mustDo).toHaveLength(2);
    expect(fact(message, 'Differs')).toBe('exportable is true, expected false');
  });

  test('tells a warning once, however often it was collected', () => {
    expect(compose({ ...KeyRotated, warnings: ['Soon spent.', 'Soon spent.'] }).warnings).toEqual(['Soon spent.']);
  });

  test('by the HSM itself says that the automation did not make it', () => {
    expect(compose({ ...KeyRotated, by: 'hsm', reason: 'Native' }).paragraphs.join(' ')).toContain(
      'the HSM made it by the rotation policy that it keeps for the key',
    );
  });

  test('of an expired key says what the old version still does', () => {
    const said = compose({ ...KeyRotated, reason: 'Expired' }).paragraphs.join(' ');
    expect(said).toContain('although expired it still unwraps, decrypts and verifies');
  });

  test('that does not count says to which version to pin consumers', () => {
    const { mustDo, mustDoNote, checks } = compose(RotationNotCounted);
    expect(mustDo).toEqual([RotationNotCounted.refusal.nextStep]);
    expect(mustDoNote).toBe(`Until then pin consumers to the previous version, ${identifier(OLD_VERSION)}`);
    expect(checks?.[1]).toMatchObject({ result: 'failed', detail: 'other bytes came back' });
  });
});

describe('a reminder', () => {
  test('speaks of material from outside only where it comes from there', () => {
    const said = (reason: 'ImportedKey' | 'RemindOnly') =>
      compose({ ...RotationReminder, reminder: { ...RotationReminder.reminder, reason } }).paragraphs.join(' ');
    expect(said('ImportedKey')).toContain('comes from outside the HSM');
    expect(said('RemindOnly')).not.toContain('outside');
  });
});

describe('an expired key', () => {
  test.each([
    { ...RotationRefused, expired: true },
    { ...RotationReminder, expired: true },
  ])('($kind) opens what it protected and protects nothing more', (notice) => {
    const said = compose(notice).paragraphs.join(' ');
    expect(said).toContain('still unwraps, decrypts and verifies; it does not wrap, encrypt or sign');
  });
});

describe('a missing permission', () => {
  test.each([RotationFailed, EXAMPLES.SweepFailed])(
    '($kind) is an instruction that can be copied, given once',
    (notice) => {
      const message = compose(notice);
      expect(fact(message, 'Data action')).toBe(denial.dataAction);
      expect(fact(message, 'Scope')).toBe(denial.scope);
      expect(fact(message, 'Identity')).toBe('duty rotate');
      expect(fact(message, 'Client id')).toBe(denial.clientId);
      expect(message.commands).toEqual([COMMAND]);
      expect(message.mustDo).toEqual([
        'Grant it with the command below (or name a custom role that holds just this data action).',
      ]);
    },
  );

  test.each([
    ['ends the sentence', `Grant it with: ${COMMAND}.`, 'Grant it with the command below.'],
    ['goes on in it', `Grant it with: ${COMMAND}, where you may.`, 'Grant it with the command below, where you may.'],
    ['is all of it', COMMAND, 'the command below'],
  ])('takes a command that %s out whole', (_, nextStep, left) => {
    const { commands, mustDo } = compose({ ...RotationFailed, failure: { ...denied, nextStep } });
    expect(commands).toEqual([COMMAND]);
    expect(mustDo).toEqual([left]);
  });

  test('gets a command where nobody has worded one', () => {
    const { commands } = compose({ ...RotationFailed, failure: { ...denied, nextStep: 'Grant it.' } });
    expect(commands).toEqual([
      `az keyvault role assignment create --hsm-name contoso --role ROLE --assignee ${denial.clientId} --scope ${denial.scope}`,
    ]);
  });

  test('that the service did not name gets no command', () => {
    const { duty, clientId } = denial;
    const failure = { ...denied, nextStep: 'Give this identity a role.', denial: { duty, clientId } };
    const message = compose({ ...RotationFailed, failure });
    expect(message.commands).toEqual([]);
    expect(message.subject).toContain('access was denied');
  });
});

describe('a policy', () => {
  test.each([
    ['repaired', 'repaired'],
    ['told', 'left as it is'],
    ['refused', 'nothing was compared'],
  ] as const)('that drifted says what was found, expected and done: %s', (action, outcome) => {
    const message = compose({ ...PolicyDrift, action });
    expect(fact(message, 'expiryTime')).toBe('found P2Y, expected P1Y');
    expect(fact(message, 'Outcome')).toContain(outcome);
  });

  test('document lists every fault with path, rule, what it got and an example', () => {
    const message = compose(EXAMPLES.PolicyDocumentFault);
    expect(fact(message, 'Fault 1')).toBe(
      'defaults.rotation.before is an ISO 8601 duration. Got: "30 days". Example: P30D',
    );
    expect(fact(message, 'Fault 2')).toContain('The document names a fallback');
    expect(fact(message, 'In force')).toBe('"0x8DD"');
  });

  test.each([
    ['"0x8DD"', 'The last good document stays in force, so no key is treated otherwise than before.'],
    ['"0x8DE"', 'An earlier release, or other settings, took it for good, so it stays in force until it is corrected.'],
    ['built in', 'No earlier document was good, so the built-in rules are in force.'],
  ])('document says what is in force meanwhile: %s', (inForce, said) => {
    expect(compose({ ...EXAMPLES.PolicyDocumentFault, inForce }).paragraphs).toContain(said);
  });
});

describe('foreign text', () => {
  test('cannot break the subject: line breaks and controls become blanks', () => {
    const name = 'pan\r\nBcc: everyone@contoso.example\u2028\u202etxt';
    const { subject } = compose({ ...KeyRotated, key: { ...KeyRotated.key, name } });
    expect(subject).toBe('[embedded] contoso/pan Bcc: everyone@contoso.example txt rotated and proven');
  });

  test('is cut where it is long, and says so', () => {
    const tags = { note: 'x'.repeat(500) };
    const value = fact(compose({ ...KeyRotated, key: { ...KeyRotated.key, tags } }), 'Tags') ?? '';
    expect(value.length).toBeLessThan(100);
    expect(value.endsWith('…')).toBe(true);
  });

  test('naming an HSM that the settings do not know leaves its name in place of the address', () => {
    const message = compose({ ...KeyRotated, key: { ...KeyRotated.key, hsm: 'constructor' } });
    expect(fact(message, 'HSM')).toBe('constructor');
    expect(fact(message, 'New version')).toContain('constructor/keys/payments-card-pan/');
  });
});
