import type { CallClass } from '../audit-call.ts';
import type { Detector } from '../detector.ts';
import { byCaller, distinct, keysOf, nameOf, namesOf, succeeded } from '../grouping.ts';
import { isCanary } from '../scene.ts';

/** The app announces each act before it: what carries its identity without an announcement is not the app. */
export const unannouncedOwnAct: Detector = {
  id: 'unannounced-own-act',
  version: 1,
  sees: 'An identity of this app that changes or uses a key without an intent in the journal.',
  method: 'Rule: every such call of ours consumes an intent that agrees in class, target, identity, window and count.',
  severity: { least: 'High', most: 'Critical' },
  falsePositives: [
    'The journal could not be read in full: the window is judged again.',
    'Somebody works with the identity of the app by hand: do not.',
  ],
  runbook: [
    'Treat the host of the app as taken: its identities have no password that could leak alone.',
    'Stop the app, and take the roles of this identity away.',
    'Verify the journal, then list what the identity did since its chain was last verified.',
  ],
  response: 'containByApproval',
  compromise: 'misuse',
  techniques: ['T1078.004'],
  evaluate(scene) {
    const calls = scene.calls.filter(
      (call) =>
        ANNOUNCED.has(call.class) && succeeded(call) && call.unexplained > 0 && call.ours && !isCanary(scene, call),
    );
    return byCaller(calls).map(({ calls, explained }) => ({
      calls,
      explained,
      subject: distinct(calls.map(({ class: of }) => of))
        .sort()
        .join(' '),
      windowMinutes: 15,
      base: 65,
      title: `${nameOf(calls[0])}, an identity of this app, acted on ${namesOf(keysOf(calls))} unannounced`,
      explanation: `Without an intent: ${distinct(calls.map(({ class: of }) => of)).join(', ')}.`,
      nextStep: 'Treat the host of the app as taken until the journal explains the calls.',
    }));
  },
};

/** Other classes have detectors that ask the journal by themselves; reads are not announced. */
const ANNOUNCED: ReadonlySet<CallClass> = new Set<CallClass>([
  'key.create',
  'key.rotate',
  'key.update',
  'key.recover',
  'key.policy.set',
  'crypto.protect',
  'crypto.unprotect',
]);
