/** How an error that nobody has published is answered. */
export interface ErrorReading {
  status: number;
  code: string;
  message: string;
}

/**
 * Switches for what public sources leave open or contradict. Each default is what was recorded from the live service or,
 * where nothing was, the reading that asks more of a client. All but `cryptoAuditor` may be changed while the HSM runs.
 */
export interface Readings {
  /** Not documented. Stricter: a new version starts without tags, so a client has to carry them over itself. */
  rotateInheritsTags: boolean;
  /** Recorded with default operations only (Azure/azure-sdk-assets, TestRotateKey/MHSM), where old and new were the same set. */
  rotateInheritsKeyOps: boolean;
  /** Not documented; `exportable` is decided at the first version, and an exportable version needs a release policy. */
  rotateInheritsReleasePolicy: boolean;
  /** The documentation asks for a policy first (managed-hsm/key-rotation); the error was not found. `allow` acts as a vault does. */
  rotateWithoutPolicy: 'allow' | ErrorReading;
  /** Not documented. Stricter: a disabled key is refused, by hand as well as by policy. */
  rotateDisabledKey: 'allow' | ErrorReading;
  /** `Notify` is for vaults (REST description); hashicorp/terraform-provider-azurerm#27306 found it unsupported here. */
  notifyAction: 'refuse' | 'ignore';
  /** GET of a policy that was never set: not found. */
  missingPolicy: 'empty' | 'notFound';
  /** Error at 100 versions, at 5,000 keys and at the caps of roles: not found. */
  versionLimit: ErrorReading;
  keyLimit: ErrorReading;
  roleLimit: ErrorReading;
  /** Recorded. A vault answers the same. */
  missingKeyCode: string;
  /** Which error a disabled key gives to cryptography: documented for vaults only. */
  cryptoOnDisabledKey: ErrorReading;
  /** Listing order of versions: not documented. By identifier it is no order in time, so nobody can rely on one. */
  versionOrder: 'byIdentifier' | 'byCreation';
  /** Purge under purge protection: only the refusal is documented. */
  purgeProtected: ErrorReading;
  /** PUT of an assignment name that exists: not found. */
  repeatedAssignment: 'conflict' | 'accept';
  /** The service's own list gives the Crypto Auditor deletedKeys/read, the documentation deletedKeys/delete. */
  cryptoAuditor: 'recorded' | 'documented';
  /** What the data plane answers before the security domain was downloaded: only that it cannot be used is documented. */
  notActivated: ErrorReading;
  /** Every captured audit record says Success, refused calls included. */
  auditResultType: 'alwaysSuccess' | 'byStatus';
  /** Rates of managed-hsm/scaling-guidance as hard limits. They are published as capacity, so off unless asked for. */
  throttling: boolean;
}

const badParameter = (message: string): ErrorReading => ({ status: 400, code: 'BadParameter', message });
const forbidden = (message: string): ErrorReading => ({ status: 403, code: 'Forbidden', message });

export const defaultReadings: Readings = {
  rotateInheritsTags: false,
  rotateInheritsKeyOps: true,
  rotateInheritsReleasePolicy: true,
  rotateWithoutPolicy: badParameter('A rotation policy must be set on the key before it can be rotated.'),
  rotateDisabledKey: forbidden('Operation rotate is not allowed on a disabled key.'),
  notifyAction: 'refuse',
  missingPolicy: 'empty',
  versionLimit: badParameter('The key has reached the maximum of 100 versions.'),
  keyLimit: badParameter('The HSM has reached the maximum of 5000 keys.'),
  roleLimit: badParameter('The limit of role definitions or role assignments at this scope has been reached.'),
  missingKeyCode: 'KeyNotFound',
  cryptoOnDisabledKey: forbidden('Operation {operation} is not allowed on a disabled key.'),
  versionOrder: 'byIdentifier',
  purgeProtected: forbidden('Purge is not allowed: purge protection is enabled on this HSM.'),
  repeatedAssignment: 'conflict',
  cryptoAuditor: 'recorded',
  notActivated: forbidden('The HSM is not activated. Download its security domain first.'),
  auditResultType: 'alwaysSuccess',
  throttling: false,
};
