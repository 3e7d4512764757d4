/** Refusals of a restore that concern the bytes of the backup, not the HSM that it was to go to. */
const AT_FAULT: ReadonlySet<string> = new Set([
  ...['CopyNotAsSealed', 'JobFailed', 'ManifestMissing', 'ManifestHashMismatch', 'ManifestNotAManifest'],
]);

/**
 * Whether a restore that did not come about, for this reason, speaks against its backup. Asked by the verdict of a drill and by
 * the catalogue alike, so that nobody is told not to count on a backup that the catalogue goes on trusting.
 */
export const isBackupAtFault = (reason: string): boolean => AT_FAULT.has(reason);

/** How a drill tells a step that ended for this reason; without one it was given up, which says nothing of the backup. */
export const endedBy = (reason?: string): 'failed' | 'skipped' =>
  reason !== undefined && isBackupAtFault(reason) ? 'failed' : 'skipped';
