import type { Detector } from '../detector.ts';
import { byCaller, keysOf, nameOf, namesOf, refused, succeeded } from '../grouping.ts';
import { isCanary } from '../scene.ts';

/** A key that nobody has business with: a call to it is a search, whoever makes it. */
export const decoyKeyUse: Detector = {
  id: 'decoy-key-use',
  version: 1,
  sees: 'Any call that names a decoy key, answered or refused.',
  method: 'Rule: the key is listed as a decoy, and the journal announced no call to it.',
  severity: { least: 'High', most: 'Critical' },
  falsePositives: [
    'Our own inventory reads every key: it is not counted.',
    'A scanner of the organisation reads every key: announce it, or leave its reads out by naming it an identity of ours.',
  ],
  runbook: [
    'Do not ask the caller first: the decoy has no use, so the identity is taken or abused.',
    'Keep the evidence, then remove the local role of the caller.',
    'List what else the caller touched in the last 30 days.',
  ],
  response: 'containByPolicy',
  compromise: 'misuse',
  techniques: ['T1078.004', 'T1526'],
  evaluate(scene) {
    const calls = scene.calls.filter(
      (call) =>
        call.key !== undefined &&
        scene.decoys.has(call.key) &&
        !isCanary(scene, call) &&
        !(readsOnly(call.class) && scene.own.has(call.caller.app ?? call.caller.oid)) &&
        (succeeded(call) || refused(call)),
    );
    return byCaller(calls).map(({ calls, explained }) => ({
      calls,
      explained,
      subject: keysOf(calls)[0] ?? '*',
      windowMinutes: 60,
      base: calls.some(succeeded) ? 90 : 70,
      title: `${nameOf(calls[0])} touched ${namesOf(keysOf(calls))}, a decoy`,
      explanation: 'Nobody has business with this key, so whoever calls it is looking around.',
      nextStep: 'Keep the evidence and take the role of this caller away.',
    }));
  },
};

const readsOnly = (of: string): boolean => of === 'read.key' || of === 'read.list' || of === 'rbac.assign.read';
