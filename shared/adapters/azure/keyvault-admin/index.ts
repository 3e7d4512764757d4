/**
 * Administration of a Managed HSM, with the names and shapes of the official package `@azure/keyvault-admin`, which was not
 * to be had when this was written. To change over to it, let this file re-export the package.
 *
 * Known differences: `KnownKeyVaultRoleScope` is a constant and not an enum; pollers cannot be stopped; the external key
 * manager client and the list of known data actions are left out. Ours alone: a start is sent once whatever the retry
 * options say, `serializedJob`, `wasKeptBack` and the bare transport, which the security domain uses. Not certain: the text that the package's newest pollers serialize to; ours is the
 * form of its earlier ones.
 */
export { KeyVaultAccessControlClient } from './access-control-client.ts';
export { KeyVaultBackupClient } from './backup-client.ts';
export * from './models.ts';
export { serializedJob } from './operation.ts';
export { isBooleanSetting, KeyVaultSettingsClient } from './settings-client.ts';
export { createTransport, type Transport, wasKeptBack } from './transport.ts';
