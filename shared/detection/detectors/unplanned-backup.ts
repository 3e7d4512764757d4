import type { Detector } from '../detector.ts';
import { byCaller, nameOf, succeeded } from '../grouping.ts';
import { type JudgedCall, lookUp, type Scene } from '../scene.ts';

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
    return byCaller(started).map(({ calls, explained, who }) => {
      const containers = polled.filter((poll) => poll.who === who).flatMap((poll) => containerOf(scene, poll));
      const judged = judge(scene, calls, explained, containers);
      return {
        calls,
        explained: explained && judged.score <= 21,
        windowMinutes: 15,
        base: judged.score,
        title: `${nameOf(calls[0])} ${calls.some(succeeded) ? 'started' : 'was refused'} a full backup ${judged.where}`,
        explanation: judged.why,
        nextStep: 'Find the container of the job, and take the backup role of the caller away if nobody planned it.',
        facts: { container: containers[0] ?? null },
        marks: calls.some(succeeded) ? ['backup'] : [],
      };
    });
  },
};

function judge(scene: Scene, calls: readonly JudgedCall[], explained: boolean, containers: readonly string[]) {
  if (!calls.some(succeeded))
    return { score: 60, where: 'off plan', why: 'The HSM refused it, and no plan announced it.' };
  const foreign = containers.find((container) => !isApproved(scene, container));
  if (foreign !== undefined) {
    return { score: 92, where: `to ${foreign}`, why: 'The container is none of those that were approved.' };
  }
  if (explained) return { score: 21, where: 'as planned', why: 'The journal announced it.' };
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
