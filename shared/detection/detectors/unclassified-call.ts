import { classOfName } from '../classify-call.ts';
import type { Detector, Draft } from '../detector.ts';
import { byCaller, distinct, nameOf, succeeded } from '../grouping.ts';
import type { JudgedCall } from '../judged-calls.ts';

/** What the app cannot name it cannot judge: a new operation of the service, or a name that does not fit its path. */
export const unclassifiedCall: Detector = {
  id: 'unclassified-call',
  version: 1,
  sees: 'Successful writes at a path that the app does not know, and calls whose name contradicts their path.',
  method: 'Rule: the class is taken from the path; a documented name that says otherwise is told.',
  severity: { least: 'Low', most: 'Low' },
  falsePositives: ['A new version of the service: update the app.'],
  runbook: [
    'Read the path and the name, and look in the documentation of the service.',
    'Report it to whoever looks after the app.',
  ],
  response: 'notify',
  compromise: 'misuse',
  techniques: ['T1526'],
  evaluate(scene) {
    const calls = scene.calls.filter((call) => succeeded(call) && call.unexplained > 0 && !call.ours);
    const unknown = calls.filter(({ class: of, status }) => of === 'unclassified' && status > 200 && status < 300);
    const contradicting = calls.filter((call) => {
      const named = call.path === '' ? undefined : classOfName(call.operation);
      return named !== undefined && call.class !== 'unclassified' && named !== call.class;
    });
    return [
      ...byCaller(unknown).map(({ calls }) => draft(calls, 'unknown', 'wrote to a path that the app does not know')),
      ...byCaller(contradicting).map(({ calls }) =>
        draft(calls, 'contradiction', 'made a call whose name contradicts its path'),
      ),
    ];
  },
};

const draft = (calls: JudgedCall[], subject: string, verb: string): Draft => ({
  calls,
  explained: false,
  plain: true,
  subject,
  windowMinutes: 1440,
  base: 15,
  title: `${nameOf(calls[0])} ${verb}`,
  explanation: `Named: ${distinct(calls.map(({ operation }) => operation.slice(0, 60)))
    .slice(0, 3)
    .join(', ')}; at: ${distinct(calls.map(({ path }) => path.slice(0, 80)))
    .slice(0, 3)
    .join(', ')}.`,
  nextStep: 'Look the operation up; if the service has it lately, update the app.',
});
