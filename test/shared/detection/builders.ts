import { createHash } from 'node:crypto';
import type { CallGroup } from '../../../shared/detection/audit-call.ts';
import { createDetect } from '../../../shared/detection/detect.ts';
import type { DetectionFacts } from '../../../shared/detection/detection-facts.ts';
import { type DetectionMemory, emptyMemory } from '../../../shared/detection/memory.ts';
import { BUILT_IN_DETECTION_RULE, type DetectionRule } from '../../../shared/detection/rule.ts';

/** A Thursday, 10:05 in UTC. */
export const NOW = '2026-03-12T10:05:00.000Z';

export const ALICE = '11111111-1111-4111-8111-111111111111';
export const STORAGE = '22222222-2222-4222-8222-222222222222';
export const OURS = '33333333-3333-4333-8333-333333333333';

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

export const detect = createDetect(sha256);

export const aCall = (over: Partial<CallGroup> = {}): CallGroup => ({
  hsm: 'contoso-hsm',
  class: 'crypto.unprotect',
  operation: 'KeyUnwrap',
  path: '/keys/pay-01/v1/unwrapkey',
  key: 'pay-01',
  version: 'v1',
  verb: 'unwrapkey',
  outcome: 'ok',
  status: 200,
  caller: { oid: STORAGE },
  address: '10.1.2.3',
  userAgent: 'azsdk-net-Storage/12.1',
  count: 1,
  first: '2026-03-12T10:02:00.000Z',
  last: '2026-03-12T10:02:00.000Z',
  arrived: '2026-03-12T10:04:00.000Z',
  correlationIds: ['c-1'],
  ...over,
});

/** A call to the HSM as a whole. */
export const hsmCall = (over: Partial<CallGroup> & Pick<CallGroup, 'class' | 'path'>): CallGroup => {
  const { key: _key, version: _version, verb: _verb, ...rest } = aCall();
  return { ...rest, operation: '', caller: { oid: ALICE, upn: 'alice@contoso.example' }, ...over };
};

export const someFacts = (over: Partial<DetectionFacts> = {}): DetectionFacts => ({
  now: NOW,
  hsm: 'contoso-hsm',
  calls: [],
  more: 0,
  hours: [],
  arrivals: [],
  controlPlane: [],
  intents: [],
  lookedUp: { backupContainers: {} },
  keys: [],
  ownClients: [OURS],
  ...over,
});

export const aRule = (over: Partial<DetectionRule> = {}): DetectionRule => ({ ...BUILT_IN_DETECTION_RULE, ...over });

/** A memory that has watched for 30 days. */
export const grownMemory = (over: Partial<DetectionMemory> = {}): DetectionMemory => ({
  ...emptyMemory(),
  since: '2026-02-10T10:05:00.000Z',
  upTo: '2026-03-12T10:00:00.000Z',
  ...over,
});
