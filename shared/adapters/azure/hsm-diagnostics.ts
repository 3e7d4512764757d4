import type { DiagnosticSetting } from '../../detection/diagnostic-setting.ts';
import { oneLine } from '../../notification/clean.ts';
import type { HsmDiagnostics } from '../../ports/hsm-diagnostics.ts';
import { type ArmOptions, createArm } from './arm.ts';

/** Source: Azure/azure-rest-api-specs, Microsoft.Insights/preview/2021-05-01-preview/diagnosticsSettings_API.json. */
const API_VERSION = '2021-05-01-preview';
const ROLE = 'Reader';
/** A resource takes five of them. https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings */
const MOST = 20;
const LONGEST = 512;

interface WireSetting {
  name?: string;
  properties?: {
    workspaceId?: string | null;
    storageAccountId?: string | null;
    eventHubAuthorizationRuleId?: string | null;
    eventHubName?: string | null;
    marketplacePartnerId?: string | null;
    logAnalyticsDestinationType?: string | null;
    logs?: { category?: string | null; categoryGroup?: string | null; enabled?: boolean }[] | null;
    metrics?: { category?: string | null; enabled?: boolean }[] | null;
  };
}

/** Through Azure Resource Manager, acting as one identity; reads only. */
export function createHsmDiagnostics(options: ArmOptions): HsmDiagnostics {
  const { send } = createArm(options, ROLE);
  return {
    async list(resourceId) {
      const path = `${resourceId}/providers/Microsoft.Insights/diagnosticSettings`;
      const found = (await send(`list the diagnostic settings of ${resourceId}`, 'GET', path, API_VERSION)) as {
        value?: WireSetting[];
      };
      return (found?.value ?? [])
        .slice(0, MOST)
        .map(toSetting)
        .sort(by(({ name }) => name));
    },
  };
}

const PLACES = [
  'workspaceId',
  'storageAccountId',
  'eventHubAuthorizationRuleId',
  'eventHubName',
  'marketplacePartnerId',
] as const;

function toSetting({ name = '', properties = {} }: WireSetting): DiagnosticSetting {
  const text = (value: string) => oneLine(value, LONGEST);
  // An empty id is how the service says that there is none.
  const places = PLACES.flatMap((place) => (properties[place] ? [[place, text(properties[place])]] : []));
  return {
    name: text(name),
    ...Object.fromEntries(places),
    dedicated: properties.logAnalyticsDestinationType === 'Dedicated',
    logs: (properties.logs ?? [])
      .map(({ category, categoryGroup, enabled = false }) => ({
        ...(category ? { category: text(category) } : {}),
        ...(categoryGroup ? { categoryGroup: text(categoryGroup) } : {}),
        enabled,
      }))
      .sort(by(({ category = '', categoryGroup = '' }) => `${category} ${categoryGroup}`)),
    metrics: (properties.metrics ?? [])
      .map(({ category, enabled = false }) => ({ category: text(category ?? ''), enabled }))
      .sort(by(({ category }) => category)),
  };
}

const by =
  <T>(key: (item: T) => string) =>
  (a: T, b: T): number =>
    key(a) < key(b) ? -1 : 1;
