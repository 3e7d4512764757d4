import { type DiagnosticSetting, tellsAudit } from '../detection/diagnostic-setting.ts';

/** Where the log went before the first finding, and where it goes now. */
export interface LoggingFacts {
  resourceId: string;
  before: DiagnosticSetting[];
  /** The last look that found it so. */
  seenOn: string;
  /** Absent: could not be read. */
  now?: DiagnosticSetting[];
}

/** A diagnostic setting that carried audit rows and no longer stands as it stood. */
export interface LostSetting {
  setting: DiagnosticSetting;
  how: 'gone' | 'changed' | 'unknown';
  /** Audit rows still go somewhere, so nobody is blind. */
  othersTell: boolean;
  /** Absent: it holds a text that is not safe to be pasted into a shell. */
  command?: string;
  undo?: string;
}

/** What is to be put back; nothing where all stands as it stood. */
export function lostLogging({ resourceId, before, now }: LoggingFacts): LostSetting[] {
  return before.filter(tellsAudit).flatMap((setting): LostSetting[] => {
    const found = now?.find(({ name }) => name.toLowerCase() === setting.name.toLowerCase());
    if (found && JSON.stringify({ ...found, name: '' }) === JSON.stringify({ ...setting, name: '' })) return [];
    const how = now === undefined ? 'unknown' : found ? 'changed' : 'gone';
    const [command, undo] = [creation(resourceId, setting), deletion(resourceId, setting)];
    const othersTell = (now ?? []).some(tellsAudit);
    return [{ setting, how, othersTell, ...(command && undo ? { command, undo } : {}) }];
  });
}

/**
 * Names of settings are whatever somebody wrote who could write one, and people paste commands: a text that is more than an
 * id or a plain name makes none. Retention of single settings is left out, because Azure ended it.
 * https://learn.microsoft.com/azure/azure-monitor/platform/migrate-to-azure-storage-lifecycle-policy
 * https://learn.microsoft.com/cli/azure/monitor/diagnostic-settings
 */
const PLAIN = /^[A-Za-z0-9/][A-Za-z0-9 ._()/:-]{0,511}$/;

function creation(resourceId: string, setting: DiagnosticSetting): string | undefined {
  const { logs, metrics, dedicated } = setting;
  const named: [option: string, value: string | undefined][] = [
    ['name', setting.name],
    ['resource', resourceId],
    ['workspace', setting.workspaceId],
    ['storage-account', setting.storageAccountId],
    ['event-hub-rule', setting.eventHubAuthorizationRuleId],
    ['event-hub', setting.eventHubName],
    ['marketplace-partner-id', setting.marketplacePartnerId],
  ];
  const categories = [
    ...logs.flatMap(({ category, categoryGroup }) => [category, categoryGroup]),
    ...metrics.map(({ category }) => category),
  ];
  const texts = [...named.map(([, value]) => value), ...categories].filter((text) => text !== undefined);
  if (!texts.every((text) => PLAIN.test(text))) return undefined;
  return [
    'az monitor diagnostic-settings create',
    ...named.flatMap(([option, value]) => (value === undefined ? [] : [`--${option} '${value}'`])),
    ...(dedicated ? ['--export-to-resource-specific true'] : []),
    ...(logs.length > 0 ? [`--logs '${JSON.stringify(logs)}'`] : []),
    ...(metrics.length > 0 ? [`--metrics '${JSON.stringify(metrics)}'`] : []),
  ].join(' ');
}

const deletion = (resourceId: string, { name }: DiagnosticSetting): string | undefined =>
  [resourceId, name].every((text) => PLAIN.test(text))
    ? `az monitor diagnostic-settings delete --name '${name}' --resource '${resourceId}'`
    : undefined;
