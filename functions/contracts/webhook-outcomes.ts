export interface WebhookActivityOutcomes {
  queueNotice: { kind: 'queued'; webhooks: string[] };
  startRelays: { kind: 'started'; started: number; waiting: number };
  /** `gone`: settled before, by somebody who was faster. */
  sendWebhook: { kind: 'sent' } | { kind: 'gone' };
  settleWebhook: { kind: 'settled' };
}
