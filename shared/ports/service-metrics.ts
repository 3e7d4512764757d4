/** Calls that the platform counted in one quarter of an hour. */
export interface QuarterHits {
  /** Start, ISO, on a full quarter. */
  quarter: string;
  hits: number;
}

/**
 * What the platform counts of an HSM by itself, whether or not a row of it is ever written. Throws AppError: ERR_TRANSIENT,
 * ERR_THROTTLED, ERR_DENIED, ERR_NOT_FOUND, ERR_REFUSED_BY_SERVICE.
 */
export interface ServiceMetrics {
  /** Calls to the data plane, by quarters from `from` (a full quarter) up to `to`, oldest first; the newest may not be over. */
  serviceHits(resourceId: string, from: string, to: string): Promise<QuarterHits[]>;
}
