import type { DiagnosticSetting } from '../detection/diagnostic-setting.ts';

/** Diagnostic settings of an HSM. Throws AppError: ERR_TRANSIENT, ERR_THROTTLED, ERR_DENIED, ERR_NOT_FOUND. */
export interface HsmDiagnostics {
  /** Sorted by name; empty: its log goes nowhere. */
  list(resourceId: string): Promise<DiagnosticSetting[]>;
}
