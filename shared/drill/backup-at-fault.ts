/** Refusals of a restore that concern the bytes of the backup, not the HSM that it was to go to. */
const AT_FAULT: ReadonlySet<string> = new Set(['CopyNotAsSealed', 'JobFailed']);

/** Whether a restore that did not come about, for this reason, speaks against its backup. */
export const isBackupAtFault = (reason: string): boolean => AT_FAULT.has(reason) || reason.startsWith('Manifest');
