import type { Detector, Draft } from '../detector.ts';
import { groupBy } from '../group-by.ts';
import { byCaller, nameOf, succeeded } from '../grouping.ts';
import type { JudgedCall } from '../judged-calls.ts';
import { lookUp, type Scene } from '../scene.ts';

/** A full backup holds every key, sealed under the security domain; whoever holds both holds the HSM. */
export const unplannedBackup: Detector = {
  id: 'unplanned-backup',
  version: 1,
  sees: 'A full backup that no plan announced, or one that was written to a container nobody approved.',
  method: 'Rule, and a look-up of the job: rows do not tell the container, the job does.',
  severity: { least: 'High', most: 'Critical' },
  falsePositives: [
    'Our scheduled backups: the journal announces them.',
    'A backup by hand before maintenance: ask for it through the app, which announces it.',
  ],
  runbook: [
    'Find the container of the job; if it is not ours, treat every key as copied.',
    'Remove the backup role of the caller.',
    'Find out whether the security domain was downloaded in the last 30 days.',
  ],
  response: 'containByApproval',
  compromise: 'rootOfTrust',
  techniques: ['T1537', 'T1530'],
  evaluate(scene) {
    const started = scene.calls.filter(
      ({ class: of, outcome }) => of === 'backup.start' && (outcome === 'ok' || outcome === 'denied'),
    );
    const polled = scene.calls.filter((call) => call.class === 'backup.poll' && succeeded(call));
    // The container is known from the polls, which may come in a later window than the start, and from the start's own plan.
    const foreign = polled.filter((poll) =>
      containerOf(scene, poll).some((container) => !isApproved(scene, container)),
    );
    return [
      ...byCaller(started).map(({ calls, explained, who }): Draft => {
        const containers = polled.filter((poll) => poll.who === who).flatMap((poll) => containerOf(scene, poll));
        return { ...told(calls, judge(scene, calls, explained, containers), containers[0]), explained };
      }),
      ...[...groupBy(foreign, ({ who }) => who).values()].map((calls): Draft => {
        const container = containerOf(scene, calls[0] as JudgedCall)[0] as string;
        const why = 'The container is none of those that were approved, whatever announced the backup.';
        return { ...told(calls, { score: 92, where: `to ${container}`, why }, container), subject: 'container' };
      }),
    ];
  },
};

interface Judged {
  score: number;
  where: string;
  why: string;
}

function told(calls: readonly JudgedCall[], { score, where, why }: Judged, container: string | undefined): Draft {
  const answered = calls.some(succeeded);
  return {
    calls,
    explained: false,
    windowMinutes: 15,
    base: score,
    title: `${nameOf(calls[0])} ${answered ? 'makes' : 'was refused'} a full backup ${where}`,
    explanation: why,
    nextStep: 'Find the container of the job, and take the backup role of the caller away if nobody planned it.',
    facts: { container: container ?? null },
    marks: answered ? ['backup'] : [],
  };
}

function judge(scene: Scene, calls: readonly JudgedCall[], explained: boolean, containers: readonly string[]): Judged {
  if (!calls.some(succeeded))
    return { score: 60, where: 'off plan', why: 'The HSM refused it, and no plan announced it.' };
  if (explained) return { score: 21, where: 'as planned', why: 'The journal announced it.' };
  if (containers.some((container) => !isApproved(scene, container))) {
    return { score: 92, where: 'off plan', why: 'No plan announced it, and its container is none of those approved.' };
  }
  if (containers.length === 0) {
    return { score: 80, where: 'off plan', why: 'No plan announced it, and where it went is not known.' };
  }
  return { score: 70, where: 'off plan', why: 'No plan announced it; it went to an approved container.' };
}

const isApproved = ({ rule }: Scene, container: string): boolean =>
  rule.backupContainers.some((approved) => {
    const wanted = bare(approved);
    return bare(container) === wanted || bare(container).startsWith(`${wanted}/`);
  });

const bare = (address: string): string => (address.split('?')[0] ?? '').toLowerCase().replace(/\/+$/, '');

function containerOf({ facts }: Scene, { path }: JudgedCall): string[] {
  const job = /^\/backup\/([^/]+)\/pending/.exec(path)?.[1];
  const container = job === undefined ? undefined : lookUp(facts.lookedUp.backupContainers, job);
  return container ? [container] : [];
}
