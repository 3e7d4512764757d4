import type { BackupManifest, HsmInventory } from '../../shared/backup/manifest.ts';
import { compareWithManifest } from '../../shared/restore/compare-with-manifest.ts';
import { renderRestoreHtml } from '../../shared/restore/render-report-html.ts';
import { printDifference, type RestoreReport } from '../../shared/restore/report.ts';
import type { ActivityHandlers } from '../implement.ts';
import type { World } from '../world.ts';
import { refused } from './backups.ts';
import { readRecords } from './catalogue.ts';
import { readHsmInventory, readManifestKey, withSealedMaterial } from './hsm-inventory.ts';
import { findBackup, manifestOf, readApproval, readRestoreRequest, type StoredRestore } from './restore-requests.ts';
import { utf8 } from './text.ts';

/** What a history and a mail carry; the report holds the rest. */
const MOST_LINES = 12;

export const reportPath = (id: string): string => `restores/${id}/report`;

export const restoreReportActivities = (world: World) =>
  ({
    /** Compares what came back with the manifest and keeps the report. The first comparison stands, so a repeat tells the same. */
    async compareRestore({ hsm, instance, startedOn, endedOn }) {
      const path = reportPath(instance);
      const kept = await world.documents.read<RestoreReport>('evidence', `${path}.json`);
      const made = kept
        ? { kind: 'report' as const, report: kept.value }
        : await report(world, instance, { startedOn, endedOn });
      if (made.kind === 'refused') return made;
      if (!kept) await world.documents.create('evidence', `${path}.json`, made.report);
      const page = utf8(renderRestoreHtml(made.report));
      await world.documents.keep('evidence', `${path}.html`, page, { hsm, restore: instance });
      const { differences, ...counts } = made.report.comparison;
      return {
        kind: 'compared',
        findings: {
          compared: counts.compared,
          critical: counts.critical,
          warnings: counts.warnings,
          notes: counts.notes,
          differences: differences.slice(0, MOST_LINES).map(printDifference),
          report: path,
        },
      };
    },
  }) satisfies Partial<ActivityHandlers>;

async function report(world: World, id: string, times: { startedOn: string; endedOn: string }) {
  const request = await readRestoreRequest(world.documents, id);
  const record = request && (await findBackup(world.documents, request.backup));
  if (!request || !record) {
    return refused('BackupUnknown', 'The catalogue does not know the backup any more.', 'Look at the catalogue.');
  }
  const found = await manifestOf(world, record);
  if (found.kind === 'refused') return found;
  const { hsm, key, by, at, reason, preview } = request;
  const [inventory, approved, safety] = await Promise.all([
    inventoryAfter(world, request, found.manifest),
    readApproval(world.documents, id),
    safetyBackupOf(world, request),
  ]);
  const report: RestoreReport = {
    version: 1,
    restore: id,
    installation: world.installation,
    hsm,
    ...(key === undefined ? {} : { key }),
    backup: {
      id: record.id,
      takenOn: record.takenOn,
      hsm: record.hsm,
      ...(record.manifest ? { manifestSha256: record.manifest.sha256 } : {}),
    },
    requested: { by, at, reason },
    ...(approved ? { approved } : {}),
    ...(key === undefined && safety !== undefined ? { safetyBackup: safety } : {}),
    ...times,
    preview,
    comparison: compareWithManifest(found.manifest, inventory, key === undefined ? {} : { key }),
  };
  return { kind: 'report' as const, report };
}

/** The HSM, or the one key that was restored, as it can be read now, with the material of what the manifest knows. */
export async function inventoryAfter(
  world: World,
  { hsm, key }: StoredRestore,
  manifest: BackupManifest,
): Promise<HsmInventory> {
  if (key === undefined) return withSealedMaterial(world, hsm, manifest, await readHsmInventory(world, hsm));
  const found = await readManifestKey(world, hsm, key);
  const alone = { keys: found ? [found] : [], roleDefinitions: [], roleAssignments: [] };
  return withSealedMaterial(world, hsm, manifest, alone);
}

/** The newest safety backup of the HSM: the one that can undo this restore. */
async function safetyBackupOf(world: World, { hsm }: StoredRestore): Promise<string | undefined> {
  const records = await readRecords(world.documents, hsm);
  return records
    .filter(({ purpose }) => purpose === 'safety')
    .sort((a, b) => Date.parse(a.takenOn) - Date.parse(b.takenOn))
    .at(-1)?.id;
}
