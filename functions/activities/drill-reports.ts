import { isPresent } from '../../shared/backup/catalogue.ts';
import { isBackupAtFault } from '../../shared/drill/backup-at-fault.ts';
import { costUntilGone } from '../../shared/drill/cost-guard.ts';
import { renderReportHtml } from '../../shared/drill/render-report-html.ts';
import { buildDrillReport, type DrillReport, type DrillStep, type TearDown } from '../../shared/drill/report.ts';
import { timeRehearsal } from '../../shared/drill/time-rehearsal.ts';
import { effectiveHsmRule } from '../../shared/policy/effective-hsm-rule.ts';
import { compareWithManifest } from '../../shared/restore/compare-with-manifest.ts';
import type { DrillEnd } from '../contracts/drill-outcomes.ts';
import type { ActivityHandlers } from '../implement.ts';
import { rehearsalId } from '../instance-ids.ts';
import type { World } from '../world.ts';
import { refused } from './backups.ts';
import { advanceRecord, readRecord, readRecords } from './catalogue.ts';
import { deletionCommand, drillReportPath, keepDrillPart, readDrillPart, type StoredDrill } from './drill-records.ts';
import { readHsmInventory, withSealedMaterial } from './hsm-inventory.ts';
import { knownHsm } from './joined-hsms.ts';
import { policyInForce } from './policy-in-force.ts';
import { newResourceId, readRecovery, runbookOf } from './recovery-records.ts';
import { findBackup, manifestOf, putOutcome, readProgress } from './restore-requests.ts';
import { utf8 } from './text.ts';

export const drillReportActivities = (world: World) =>
  ({
    /** Compares what came back on the drill HSM with the manifest, key by key. The first comparison stands. */
    async compareDrill({ hsm, instance }) {
      const drill = await readDrillPart(world.documents, hsm, instance, 'drill');
      const record = drill && (await findBackup(world.documents, drill.backup));
      if (!record) return unknownBackup();
      const found = await manifestOf(world, record);
      if (found.kind === 'refused') return found;
      await knownHsm(world, drill.target.hsm);
      const { hsm: target } = drill.target;
      const inventory = await withSealedMaterial(world, target, found.manifest, await readHsmInventory(world, target));
      const made = compareWithManifest(found.manifest, inventory);
      const { compared, critical } = await keepDrillPart(world.documents, hsm, instance, 'comparison', made);
      return { kind: 'compared', keys: compared.keys, versions: compared.versions, critical };
    },

    /**
     * Judges the drill, keeps its report, and enters in the catalogue what it says of the backup. One is doubted only for what
     * speaks against it: a drill HSM that could not be had says nothing of it, and an objective that was missed takes nothing
     * from its proof.
     */
    async closeDrill({ hsm, instance, endedOn, steps, refusal }) {
      const { documents } = world;
      const known = await readDrillPart(documents, hsm, instance, 'end');
      if (known) return closed(world, instance, known);
      const path = drillReportPath(hsm, instance);
      const report =
        (await documents.read<DrillReport>('evidence', `${path}.json`))?.value ??
        (await reportOf(world, { hsm, instance, endedOn, steps }));
      if (!report) return unknownBackup();
      await documents.create('evidence', `${path}.json`, report);
      await documents.keep('evidence', `${path}.html`, utf8(renderReportHtml(report)), { hsm, drill: instance });
      await enterVerdict(world, report, refusal);
      const end = endOf(report, path);
      await world.journal.append({
        id: `${instance}:drill.close:note`,
        kind: 'note',
        class: 'drill.close',
        at: report.endedOn,
        hsm,
        target: `drills/${instance}`,
        identity: world.identities.restore ?? world.identities.observe,
        cause: (await readDrillPart(documents, hsm, instance, 'drill'))?.by ?? 'unknown',
        instance,
        detail: {
          verdict: end.kind,
          proof: end.proof ?? null,
          backup: end.backup,
          target: end.target,
          rpo: end.rpo ?? null,
          rto: end.rto ?? null,
        },
      });
      return closed(world, instance, await keepDrillPart(documents, hsm, instance, 'end', end));
    },
  }) satisfies Partial<ActivityHandlers>;

/** What was restored for the drill is no longer under way. */
async function closed(world: World, instance: string, end: DrillEnd) {
  await putOutcome(world.documents, instance, end);
  return { kind: 'closed' as const, end };
}

interface Ended {
  hsm: string;
  instance: string;
  endedOn: string;
  steps: DrillStep[];
}

async function reportOf(world: World, { hsm, instance, endedOn, steps }: Ended): Promise<DrillReport | undefined> {
  const { documents } = world;
  const drill = await readDrillPart(documents, hsm, instance, 'drill');
  const record = drill && (await readRecord(documents, hsm, drill.backup));
  if (!record) return undefined;
  const [inForce, comparison, tried, kept] = await Promise.all([
    policyInForce(world),
    readDrillPart(documents, hsm, instance, 'comparison'),
    readDrillPart(documents, hsm, instance, 'tried'),
    readDrillPart(documents, hsm, instance, 'sentinels'),
  ]);
  const untried = (kept ?? []).map((each) => ({ ...each, ...NOT_SO_FAR }));
  const { rule } = effectiveHsmRule(inForce.policy, hsm, inForce.version);
  const rehearsed = await withRehearsal(world, drill, await withSafetyBackup(world, drill, steps), endedOn);
  const tearDown = await tearDownOf(world, drill, rule.drills);
  return buildDrillReport({
    drill: instance,
    installation: world.installation,
    hsm,
    target: drill.target,
    backup: record,
    startedOn: drill.startedOn,
    endedOn,
    ...rehearsed,
    ...(comparison ? { comparison } : {}),
    sentinels: tried ?? untried,
    cost: drill.cost,
    ...(tearDown ? { tearDown } : {}),
    rule: { rpo: rule.backup.rpo, drills: rule.drills },
  });
}

const NOT_SO_FAR = { result: 'notTried', detail: 'the drill did not come so far' } as const;

/**
 * Takes the safety backup out of the step of the restore: what the service demands before it restores is often most of the
 * time, and an auditor asks where the time went.
 */
async function withSafetyBackup(world: World, drill: StoredDrill, steps: readonly DrillStep[]): Promise<DrillStep[]> {
  const [records, { sent }] = await Promise.all([
    readRecords(world.documents, drill.target.hsm),
    readProgress(world.documents, drill.id),
  ]);
  return steps.flatMap((step) => {
    const { startedOn, endedOn } = step;
    if (step.name !== 'restore' || sent === undefined || endedOn === undefined) return [step];
    const safety = records.filter(
      ({ purpose, reachedOn: { landed } }) =>
        purpose === 'safety' && landed !== undefined && within(landed, startedOn, sent.sentOn),
    );
    const landed = safety
      .flatMap(({ reachedOn }) => reachedOn.landed ?? [])
      .sort()
      .at(-1);
    if (landed === undefined || !within(sent.sentOn, startedOn, endedOn)) return [step];
    const waitedSeconds = Math.round((Date.parse(sent.sentOn) - Date.parse(landed)) / 1000);
    const taken: DrillStep = {
      name: 'safetyBackup',
      title: 'Safety backup, and its age',
      startedOn,
      endedOn: sent.sentOn,
      result: 'done',
      waitedSeconds,
      detail: `${safety.map(({ id }) => id).join(', ')}, which the service demands`,
    };
    return [taken, { ...step, startedOn: sent.sentOn }];
  });
}

/** The step in which people were waited for, told as the runbook of the rehearsal ran, with their time apart. */
async function withRehearsal(world: World, drill: StoredDrill, steps: DrillStep[], endedOn: string) {
  const recovery = await readRecovery(world, rehearsalId(drill.id));
  const open = steps.find(({ name }) => name === 'rehearsal');
  if (!recovery || !open) return { steps };
  const times = timeRehearsal(await runbookOf(world, recovery), open.startedOn, open.endedOn ?? endedOn);
  const rest = open.result === 'done' ? steps.filter((step) => step !== open) : steps;
  return { steps: [...times.steps, ...rest], peopleSeconds: times.peopleSeconds };
}

/** What became of a temporary HSM, and what it costs until it is purged. */
async function tearDownOf(
  world: World,
  drill: StoredDrill,
  rule: Parameters<typeof costUntilGone>[0],
): Promise<TearDown | undefined> {
  const recovery = drill.target.kind === 'temporary' && (await readRecovery(world, rehearsalId(drill.id)));
  if (!recovery) return undefined;
  const { hsm } = drill.target;
  const gone = await readDrillPart(world.documents, drill.hsm, drill.id, 'tornDown');
  if (!gone) {
    const text = `${hsm} was not found to be removed, and is billed as long as it exists.`;
    return { hsm, state: 'remains', text, command: deletionCommand(recovery, newResourceId(world, recovery)) };
  }
  if (!gone.deleted) {
    const made = recovery.creationSentOn !== undefined;
    const text = made ? `${hsm} exists no more, not even soft-deleted.` : `${hsm} was never made.`;
    return { hsm, state: made ? 'removed' : 'nothingMade', text };
  }
  const { deletedOn, purgedOn, purgeProtection } = gone.deleted;
  const until = costUntilGone(rule, { scheduledPurgeOn: purgedOn, purgeProtection }, new Date(deletedOn));
  return {
    ...{ hsm, state: 'removed', removedOn: deletedOn, goneOn: purgedOn },
    text: `${hsm} was deleted on ${deletedOn}, and its name stays taken. ${until.text}`,
    ...(until.cost === undefined ? {} : { cost: until.cost }),
    ...(purgeProtection
      ? {}
      : { command: `az keyvault purge --hsm-name ${hsm} --location ${drill.target.region ?? 'REGION'}` }),
  };
}

const within = (at: string, from: string, until: string): boolean =>
  Date.parse(from) <= Date.parse(at) && Date.parse(at) <= Date.parse(until);

/** A proof counts only for what cannot be changed any more, so a backup that was pruned meanwhile stays as it is. */
async function enterVerdict(world: World, report: DrillReport, refusal: string | undefined): Promise<void> {
  const { hsm, backup, drill, endedOn: on, verdict, proof, reasons } = report;
  const record = await readRecord(world.documents, hsm, backup.id);
  if (!record || !isPresent(record)) return;
  if (verdict === 'passed' || proof === 'proven') {
    await advanceRecord(world.documents, hsm, backup.id, { kind: 'proven', on, drill });
  } else if (speaksAgainstBackup(report, refusal)) {
    const reason = reasons[0] ?? 'the drill failed';
    await advanceRecord(world.documents, hsm, backup.id, { kind: 'doubted', on, drill, reason });
  }
}

const speaksAgainstBackup = ({ comparison, sentinels }: DrillReport, refusal: string | undefined): boolean =>
  (comparison?.critical ?? 0) > 0 ||
  sentinels.some(({ result }) => result === 'failed') ||
  (refusal !== undefined && isBackupAtFault(refusal));

/** What a history and a mail carry; the report holds the rest. */
const MOST_LINES = 8;

function endOf({ drill, hsm, target, backup, startedOn, endedOn, rpo, rto, ...judged }: DrillReport, report: string) {
  const end: DrillEnd = {
    kind: judged.verdict,
    ...(judged.proof === undefined ? {} : { proof: judged.proof }),
    drill,
    hsm,
    target: target.hsm,
    backup: backup.id,
    startedOn,
    endedOn,
    ...(rpo.seconds === undefined ? {} : { rpo: rpo.seconds }),
    ...(rto.seconds === undefined ? {} : { rto: rto.seconds }),
    reasons: judged.reasons.slice(0, MOST_LINES),
    nextSteps: judged.nextSteps,
    report,
  };
  return end;
}

const unknownBackup = () =>
  refused(
    'BackupUnknown',
    'The catalogue does not know the backup of this drill.',
    'Ask for a drill of one that it knows.',
  );
