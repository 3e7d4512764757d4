/**
 * Settings of a Managed HSM by name, values as texts. Throws AppError: ERR_TRANSIENT, ERR_THROTTLED, ERR_DENIED,
 * ERR_HSM_BUSY.
 */
export interface HsmConfiguration {
  settings(hsm: string): Promise<Record<string, string>>;
}
