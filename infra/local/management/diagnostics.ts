import * as z from 'zod';
import type { Fleet } from '../hsm-fleet.ts';
import type { Answer, Request } from '../http.ts';
import { RESOURCE_GROUP } from '../seed/resource-id.ts';
import { ArmError, parse } from './arm.ts';

/** The workspace of the estate, as diagnostic settings name it. */
export const WORKSPACE_ID = `${RESOURCE_GROUP}/providers/Microsoft.OperationalInsights/workspaces/law-keys`;

const AUDIT = /^(auditevent|audit|alllogs)$/i;
const id = z.string().nullish();
const retentionPolicy = z.object({ enabled: z.boolean(), days: z.int() }).optional();

/** Microsoft.Insights/diagnosticSettings@2021-05-01-preview. Source: Azure/azure-rest-api-specs, diagnosticsSettings_API.json */
const settingBody = z.object({
  properties: z.object({
    workspaceId: id,
    storageAccountId: id,
    eventHubAuthorizationRuleId: id,
    eventHubName: id,
    marketplacePartnerId: id,
    serviceBusRuleId: id,
    logAnalyticsDestinationType: z.enum(['Dedicated', 'AzureDiagnostics']).nullish(),
    logs: z.array(z.object({ category: id, categoryGroup: id, enabled: z.boolean(), retentionPolicy })).default([]),
    metrics: z.array(z.object({ category: id, enabled: z.boolean(), retentionPolicy })).default([]),
  }),
});

type Properties = z.output<typeof settingBody>['properties'];

const SETTINGS =
  /\/providers\/Microsoft\.KeyVault\/managedHSMs\/(?<hsm>[^/]+)\/providers\/Microsoft\.Insights\/diagnosticSettings(?:\/(?<name>[^/]+))?$/i;

/** Undefined for a request that is about something else. */
export function answerDiagnostics(request: Request, { hsms }: Fleet, diagnostics: Diagnostics): Answer | undefined {
  const { method, path } = request;
  const found = SETTINGS.exec(path)?.groups;
  if (!found) return undefined;
  const { hsm: of = '', name } = found;
  const hsm = hsms.find((one) => one.name.toLowerCase() === of.toLowerCase())?.name;
  const missing = new ArmError(404, 'ResourceNotFound', `The resource ${path} was not found.`);
  if (hsm === undefined) throw missing;
  if (name === undefined) {
    if (method === 'GET') return { status: 200, body: { value: diagnostics.list(hsm) } };
    throw new ArmError(404, 'InvalidResourceType', `The estate does not have ${method} ${path}.`);
  }
  switch (method) {
    case 'GET': {
      const body = diagnostics.get(hsm, name);
      if (!body) throw missing;
      return { status: 200, body };
    }
    case 'PUT':
      return { status: 200, body: diagnostics.put(hsm, name, parse(settingBody, request).properties) };
    case 'DELETE':
      return { status: diagnostics.remove(hsm, name) ? 200 : 204 };
    default:
      throw new ArmError(404, 'InvalidResourceType', `The estate does not have ${method} ${path}.`);
  }
}

/** As infra/azure makes it. Every HSM of the estate has it from the start, one that is made later too: a policy would put it there. */
const DEPLOYED: Properties = {
  workspaceId: WORKSPACE_ID,
  logAnalyticsDestinationType: 'Dedicated',
  logs: [{ category: 'AuditEvent', enabled: true }],
  metrics: [{ category: 'AllMetrics', enabled: true }],
};

/** Diagnostic settings of the estate's HSMs: what they say decides whether rows of the HSM reach the workspace. */
export interface Diagnostics {
  list(hsm: string): Record<string, unknown>[];
  get(hsm: string, name: string): Record<string, unknown> | undefined;
  put(hsm: string, name: string, properties: Properties): Record<string, unknown>;
  /** False where there was none. */
  remove(hsm: string, name: string): boolean;
  tellsWorkspace(hsm: string): boolean;
  save(): unknown;
  load(saved: unknown): void;
  reset(): void;
}

export function createDiagnostics(resourceIdOf: (hsm: string) => string): Diagnostics {
  const byHsm = new Map<string, Map<string, Properties>>();
  const of = (hsm: string): Map<string, Properties> => {
    const known = byHsm.get(hsm.toLowerCase()) ?? new Map([['key-lifecycle', DEPLOYED]]);
    byHsm.set(hsm.toLowerCase(), known);
    return known;
  };
  const shown = (hsm: string, name: string, properties: Properties) => ({
    id: `${resourceIdOf(hsm)}/providers/microsoft.insights/diagnosticSettings/${name}`,
    type: 'Microsoft.Insights/diagnosticSettings',
    name,
    properties,
  });
  return {
    list: (hsm) => [...of(hsm)].map(([name, properties]) => shown(hsm, name, properties)),
    get(hsm, name) {
      const properties = of(hsm).get(name);
      return properties && shown(hsm, name, properties);
    },
    put(hsm, name, properties) {
      of(hsm).set(name, properties);
      return shown(hsm, name, properties);
    },
    remove: (hsm, name) => of(hsm).delete(name),
    tellsWorkspace: (hsm) =>
      [...of(hsm).values()].some(
        ({ workspaceId, logs }) =>
          workspaceId?.toLowerCase() === WORKSPACE_ID.toLowerCase() &&
          logs.some(({ category, categoryGroup, enabled }) => enabled && AUDIT.test(category ?? categoryGroup ?? '')),
      ),
    save: () => Object.fromEntries([...byHsm].map(([hsm, settings]) => [hsm, Object.fromEntries(settings)])),
    load(saved) {
      byHsm.clear();
      for (const [hsm, settings] of Object.entries(saved as Record<string, Record<string, Properties>>)) {
        byHsm.set(hsm, new Map(Object.entries(settings)));
      }
    },
    reset: () => byHsm.clear(),
  };
}
