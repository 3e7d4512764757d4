/** Where an HSM's log goes, as Azure Monitor holds it; lists sorted, so that two of them can be compared. */
export interface DiagnosticSetting {
  name: string;
  workspaceId?: string;
  storageAccountId?: string;
  eventHubAuthorizationRuleId?: string;
  eventHubName?: string;
  marketplacePartnerId?: string;
  /** Rows of an HSM go to a table of their own, AZKVAuditLogs. */
  dedicated: boolean;
  /** Either a category or a group of them. */
  logs: { category?: string; categoryGroup?: string; enabled: boolean }[];
  metrics: { category: string; enabled: boolean }[];
}

/** Categories and groups that hold the audit rows. https://learn.microsoft.com/azure/key-vault/managed-hsm/logging */
const AUDIT = /^(auditevent|audit|alllogs)$/i;

/** Whether audit rows go anywhere by it. */
export const tellsAudit = ({ logs }: DiagnosticSetting): boolean =>
  logs.some(({ category, categoryGroup, enabled }) => enabled && AUDIT.test(category ?? categoryGroup ?? ''));
