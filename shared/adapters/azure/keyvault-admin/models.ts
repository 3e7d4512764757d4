import type { CancelOnProgress } from '@azure/core-lro';
import type {
  HttpClient,
  PipelineOptions,
  PipelinePolicy,
  PipelineRequest,
  PipelineResponse,
} from '@azure/core-rest-pipeline';

/** The newest version that all recordings of backup, restore and local RBAC were made with. */
export const LATEST_API_VERSION = '2025-07-01';

export type SUPPORTED_API_VERSIONS = '7.2' | '7.3' | '7.4' | '7.5' | '7.6' | '2025-07-01';

type AbortSignalLike = NonNullable<PipelineRequest['abortSignal']>;

/** Options of a client, named as the official package names them. */
export interface AdminClientOptions extends PipelineOptions {
  serviceVersion?: SUPPORTED_API_VERSIONS;
  disableChallengeResourceVerification?: boolean;
  additionalPolicies?: { policy: PipelinePolicy; position: 'perCall' | 'perRetry' }[];
  httpClient?: HttpClient;
}

export type KeyVaultBackupClientOptions = AdminClientOptions;
export type AccessControlClientOptions = AdminClientOptions;
export type SettingsClientOptions = AdminClientOptions;

/** An answer with its body parsed, as `onResponse` gets it. */
export interface FullOperationResponse extends PipelineResponse {
  parsedBody?: unknown;
}

export interface OperationOptions {
  abortSignal?: AbortSignalLike;
  /** Called with every answer, also with one that becomes an error. */
  onResponse?: (response: FullOperationResponse) => void;
}

export interface KeyVaultBackupPollerOptions extends OperationOptions {
  /** Between two polls while the service asks for no other interval; 5 s when absent, as was recorded. */
  intervalInMs?: number;
  /** What `toString()` of an earlier poller gave. Nothing is started then. */
  resumeFrom?: string;
}

export type KeyVaultBeginBackupOptions = KeyVaultBackupPollerOptions;
export type KeyVaultBeginPreBackupOptions = KeyVaultBackupPollerOptions;
export type KeyVaultBeginRestoreOptions = KeyVaultBackupPollerOptions;
export type KeyVaultBeginPreRestoreOptions = KeyVaultBackupPollerOptions;
export type KeyVaultBeginSelectiveKeyRestoreOptions = KeyVaultBackupPollerOptions;

export interface KeyVaultBackupResult {
  /** Where the backup lies, folder included: `https://{account}.blob.core.windows.net/{container}/mhsm-{hsm}-{stamp}`. */
  folderUri?: string;
  startTime?: Date;
  endTime?: Date;
}

export interface KeyVaultRestoreResult {
  startTime?: Date;
  endTime?: Date;
}

export type KeyVaultSelectiveKeyRestoreResult = KeyVaultRestoreResult;

export type OperationStatus = 'running' | 'succeeded' | 'failed' | 'canceled';

export interface KeyVaultAdminPollOperationState<TResult> {
  jobId?: string;
  status: OperationStatus;
  statusDetails?: string;
  startTime?: Date;
  endTime?: Date;
  error?: Error;
  result?: TResult;
  isStarted?: boolean;
  isCompleted?: boolean;
}

export type KeyVaultBackupOperationState = KeyVaultAdminPollOperationState<KeyVaultBackupResult>;
export type KeyVaultRestoreOperationState = KeyVaultAdminPollOperationState<KeyVaultRestoreResult>;
export type KeyVaultSelectiveKeyRestoreOperationState =
  KeyVaultAdminPollOperationState<KeyVaultSelectiveKeyRestoreResult>;

/** A running job. Not thenable, unlike the poller of core-lro 3: an async function can return it. */
export interface PollerLike<TState extends KeyVaultAdminPollOperationState<TResult>, TResult> {
  /** Asks once. Throws when the job failed, or when there was no usable answer; after the latter it can be asked again. */
  poll(options?: { abortSignal?: AbortSignalLike }): Promise<void>;
  pollUntilDone(options?: { abortSignal?: AbortSignalLike }): Promise<TResult>;
  onProgress(callback: (state: TState) => void): CancelOnProgress;
  isDone(): boolean;
  getOperationState(): TState;
  getResult(): TResult | undefined;
  /** What `resumeFrom` takes. Holds the job's id, and no token or address. */
  toString(): string;
}

/** `/`, `/keys` or `/keys/{name}`. */
export type KeyVaultRoleScope = string;

export const KnownKeyVaultRoleScope = { Global: '/', Keys: '/keys' } as const;

export type KeyVaultDataAction = string;

export interface KeyVaultPermission {
  actions?: string[];
  notActions?: string[];
  dataActions?: KeyVaultDataAction[];
  notDataActions?: KeyVaultDataAction[];
}

export interface KeyVaultRoleDefinition {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  roleName: string;
  description: string;
  /** `AKVBuiltInRole` or `CustomRole`. */
  roleType: string;
  permissions: KeyVaultPermission[];
  assignableScopes: KeyVaultRoleScope[];
}

export interface KeyVaultRoleAssignmentProperties {
  scope?: KeyVaultRoleScope;
  roleDefinitionId: string;
  principalId: string;
}

export interface KeyVaultRoleAssignment {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  properties: KeyVaultRoleAssignmentProperties;
}

export interface SetRoleDefinitionOptions extends OperationOptions {
  /** A GUID; a new one when absent. */
  roleDefinitionName?: string;
  roleName?: string;
  description?: string;
  permissions?: KeyVaultPermission[];
  assignableScopes?: KeyVaultRoleScope[];
}

export interface KeyVaultSetting {
  kind?: string;
  name: string;
  value: unknown;
}

export interface BooleanKeyVaultSetting extends KeyVaultSetting {
  kind: 'boolean';
  value: boolean;
}

export interface ListSettingsResponse {
  settings: KeyVaultSetting[];
}
