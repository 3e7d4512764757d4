/**
 * Paces key creations of one HSM across all instances of the app: the service takes one a second.
 * https://learn.microsoft.com/azure/key-vault/managed-hsm/scaling-guidance
 */
export interface CreationSlots {
  /**
   * The instant (ISO) from which `holder` may create a key on `hsm`. Slots lie a second apart at least; asking again under
   * the same name gives the same slot. Throws ERR_TRANSIENT, ERR_THROTTLED when too many ask at once, ERR_DENIED.
   */
  reserve(hsm: string, holder: string, now: Date): Promise<{ at: string }>;
}
