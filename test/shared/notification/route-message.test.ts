import { describe, expect, test } from 'vitest';
import type { Severity } from '../../../shared/notification/message.ts';
import type { Notice } from '../../../shared/notification/notice.ts';
import { routeMessage } from '../../../shared/notification/route-message.ts';
import { EXAMPLES } from './examples.ts';

const owners = { fallback: ['custodians@contoso.example'] };
const to = (notify: string[], severity: Severity = 'info'): string[] =>
  routeMessage({ severity }, { ...EXAMPLES.KeyRotated, notify: { notify } }, owners);

describe('who is told', () => {
  test.each<[string, string[], Severity, string[]]>([
    ['those whom the rule names', ['a@x.example', 'b@x.example'], 'attention', ['a@x.example', 'b@x.example']],
    ['the fallback when nobody is named', [], 'info', owners.fallback],
    ['the fallback as well when it is critical', ['a@x.example'], 'critical', ['a@x.example', ...owners.fallback]],
    ['each once, whatever the case, as first written', ['A@x.example', 'a@X.example'], 'info', ['A@x.example']],
    ['a named fallback once', ['Custodians@contoso.example'], 'critical', ['Custodians@contoso.example']],
    ['nobody by what is no address', ['a@x.example', 'Payments', 'b@x'], 'info', ['a@x.example']],
    ['nobody by an address that would break a header', ['a@x.example\r\nBcc:b@x.example'], 'info', owners.fallback],
    [
      'nobody by an address with hidden characters',
      ['a\u200b@x.example', 'a@\u0000x.example'],
      'info',
      owners.fallback,
    ],
  ])('%s', (_, notify, severity, expected) => {
    expect(to(notify, severity)).toEqual(expected);
  });

  test.each<Notice>([EXAMPLES.PolicyDocumentFault, EXAMPLES.PolicyDocumentMissing, EXAMPLES.SweepFailed])(
    'the fallback alone when no key is concerned: $kind',
    (notice) => {
      expect(routeMessage({ severity: 'attention' }, notice, owners)).toEqual(owners.fallback);
    },
  );
});
