/** One call. The id is the same at every repeat, so that a receiver can drop what it has had. */
export interface WebhookCall {
  id: string;
  /** JSON, sent and signed as it is. */
  body: string;
}

/**
 * Calls the webhooks of the settings, signed. Throws ERR_TRANSIENT, ERR_THROTTLED, ERR_DENIED, ERR_REFUSED_BY_SERVICE, and
 * ERR_CONFIG for a name that the settings do not have.
 */
export interface Webhooks {
  readonly names: readonly string[];
  call(webhook: string, call: WebhookCall): Promise<void>;
}
