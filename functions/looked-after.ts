/**
 * The HSMs that are watched, swept and shown. One that a drill made is reached like the others, and is nobody's: its keys are
 * copies, which a rotation would make differ from the backup that is being proven.
 */
export const lookedAfter = <T extends { drill?: string }>(hsms: readonly T[]): T[] =>
  hsms.filter(({ drill }) => drill === undefined);
