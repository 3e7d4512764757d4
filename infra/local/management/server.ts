import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import type { Estate } from '../estate.ts';
import type { EstateHsm } from '../estate-hsm.ts';
import type { Fleet } from '../hsm-fleet.ts';
import { type Answer, listen, type Request } from '../http.ts';
import { TENANT_ID } from '../identity/registrations.ts';
import { type ActivityEntry, activityRow, operationOf } from './activity.ts';
import { ArmError, parse } from './arm.ts';
import { answerDiagnostics, type Diagnostics } from './diagnostics.ts';
import { answerEndpoint } from './endpoints.ts';
import { answerMetrics, type CallMetric } from './metrics.ts';
import { deletedHsmResource, hsmResource, identityNamed } from './resource.ts';

/** What a fault names. */
const typeOf = ({ path }: Request): string =>
  (/privateEndpoints/i.test(path) && 'privateEndpoints') ||
  (/subnets/i.test(path) && 'subnets') ||
  (/Microsoft\.Insights\/metrics$/i.test(path) && 'metrics') ||
  'managedHSMs';

/** Audience of tokens. */
export const MANAGEMENT_AUDIENCE = 'https://management.azure.com';

export interface ManagementService {
  readonly url: string;
  /** Estate seconds until a new HSM is provisioned. In Azure it takes many minutes. */
  provisioningSeconds: number;
  stop(): Promise<void>;
}

const identity = z.object({
  type: z.string(),
  userAssignedIdentities: z.record(z.string(), z.unknown().nullable()).nullish(),
});
const tags = z.record(z.string(), z.string()).optional();
const hsmBody = z.object({
  location: z.string(),
  identity: identity.nullish(),
  tags,
  properties: z.object({
    tenantId: z.literal(TENANT_ID, { error: `is the tenant of the estate, ${TENANT_ID}` }),
    initialAdminObjectIds: z.array(z.string()).min(1),
    createMode: z.enum(['default', 'recover']).default('default'),
    enableSoftDelete: z.literal(true).optional(),
    softDeleteRetentionInDays: z.int().min(7).max(90).default(90),
    enablePurgeProtection: z.boolean().default(true),
    publicNetworkAccess: z.enum(['Enabled', 'Disabled']).default('Enabled'),
  }),
});
const patchBody = z.object({
  identity: identity.nullish(),
  tags,
  properties: z.object({ enablePurgeProtection: z.boolean().optional() }).optional(),
});

const HSM =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.KeyVault\/managedHSMs(?:\/(?<name>[^/]+))?$/i;
const DELETED =
  /^\/subscriptions\/[^/]+\/providers\/Microsoft\.KeyVault\/(?:locations\/[^/]+\/)?deletedManagedHSMs(?:\/(?<name>[^/]+)(?<purge>\/purge)?)?$/i;

/**
 * Azure Resource Manager for Managed HSMs: create, read, change, delete, what was deleted, and diagnostic settings. Tokens are verified; Azure
 * RBAC is not checked. A client follows `provisioningState` by reading the resource.
 */
export async function startManagement(options: {
  port?: number;
  estate: Estate;
  fleet: Fleet;
  diagnostics: Diagnostics;
  metric: CallMetric;
  /** Takes what the activity log would hold of each change. */
  activity?(row: ActivityEntry): void;
}): Promise<ManagementService> {
  const { estate, fleet, diagnostics, metric, activity } = options;
  const isProvisioning = ({ definition }: EstateHsm): boolean =>
    definition.createdOn !== undefined &&
    estate.clock.now().getTime() < Date.parse(definition.createdOn) + service.provisioningSeconds * 1000;
  const shown = (hsm: EstateHsm) => hsmResource(hsm, isProvisioning(hsm));
  const named = (name: string, path: string): EstateHsm => {
    const hsm = fleet.hsms.find((one) => one.name.toLowerCase() === name.toLowerCase());
    if (!hsm) throw new ArmError(404, 'ResourceNotFound', `The resource ${path} was not found.`);
    return hsm;
  };

  const put = async (request: Request, name: string): Promise<Answer> => {
    const body = parse(hsmBody, request);
    const { properties } = body;
    if (properties.createMode === 'recover') {
      if (!fleet.deleted.has(name)) throw new ArmError(404, 'ResourceNotFound', `There is no deleted HSM ${name}.`);
      return { status: 200, body: shown(await fleet.recover(name)) };
    }
    const existing = fleet.hsms.find((hsm) => hsm.name === name);
    if (existing) {
      attach(existing, body.identity);
      return { status: 200, body: shown(existing) };
    }
    if (fleet.deleted.has(name)) {
      throw new ArmError(409, 'ConflictError', `A deleted HSM has the name ${name}: recover or purge it first.`);
    }
    const hsm = await fleet.create({
      name,
      resourceId: request.path,
      region: body.location,
      administrators: properties.initialAdminObjectIds,
      identities: attachedBy(body.identity) ?? [],
      retentionDays: properties.softDeleteRetentionInDays,
      purgeProtection: properties.enablePurgeProtection,
      closed: properties.publicNetworkAccess === 'Disabled',
      ...(body.tags ? { tags: body.tags } : {}),
    });
    return { status: 202, body: shown(hsm) };
  };

  const patch = (request: Request, hsm: EstateHsm): Answer => {
    const { identity: given, tags: newTags, properties } = parse(patchBody, request);
    if (properties?.enablePurgeProtection === false && hsm.definition.purgeProtection) {
      throw new ArmError(400, 'BadRequest', 'Purge protection cannot be disabled once it is enabled.');
    }
    attach(hsm, given);
    if (newTags) hsm.definition.tags = newTags;
    return { status: 200, body: shown(hsm) };
  };

  const act = async (request: Request): Promise<Answer> => {
    if (!request.url.searchParams.has('api-version')) {
      throw new ArmError(
        400,
        'MissingApiVersionParameter',
        'The api-version query parameter (?api-version=) is required.',
      );
    }
    const { method, path } = request;
    const settings = answerDiagnostics(request, fleet, diagnostics);
    if (settings) return settings;
    const endpoint = answerEndpoint(request, fleet);
    if (endpoint) return endpoint;
    const metrics = answerMetrics(request, fleet, metric, estate.clock.now().getTime());
    if (metrics) return metrics;
    const hsmPath = HSM.exec(path);
    if (hsmPath) {
      const { name } = hsmPath.groups ?? {};
      if (name === undefined && method === 'GET') return { status: 200, body: { value: fleet.hsms.map(shown) } };
      if (name !== undefined && method === 'PUT') return put(request, name);
      if (name !== undefined && method === 'GET') return { status: 200, body: shown(named(name, path)) };
      if (name !== undefined && method === 'PATCH') return patch(request, named(name, path));
      if (name !== undefined && method === 'DELETE') {
        if (!fleet.hsms.some((hsm) => hsm.name === name)) return { status: 204 };
        await fleet.remove(name);
        return { status: 200 };
      }
    }
    const deletedPath = DELETED.exec(path);
    if (deletedPath) {
      const { name, purge } = deletedPath.groups ?? {};
      if (name === undefined)
        return { status: 200, body: { value: [...fleet.deleted.values()].map(deletedHsmResource) } };
      const found = fleet.deleted.get(name);
      if (!found) throw new ArmError(404, 'ResourceNotFound', `The resource ${path} was not found.`);
      if (purge === undefined && method === 'GET') return { status: 200, body: deletedHsmResource(found) };
      if (purge !== undefined && method === 'POST') {
        if (found.hsm.definition.purgeProtection) {
          throw new ArmError(400, 'BadRequest', `Purge protection is enabled on HSM ${name}: it cannot be purged.`);
        }
        fleet.purge(name);
        return { status: 202 };
      }
    }
    throw new ArmError(404, 'InvalidResourceType', `The estate does not have ${method} ${path}.`);
  };

  const handle = async (request: Request): Promise<Answer> => {
    const headers = { 'x-ms-request-id': randomUUID(), 'cache-control': 'no-cache' };
    let refused: (status: number, message: string) => void = () => undefined;
    try {
      const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
      const caller = await estate.tokens.verify(token, MANAGEMENT_AUDIENCE).catch((error: unknown) => {
        throw new ArmError(401, 'InvalidAuthenticationToken', `The access token is invalid. ${String(error)}`);
      });
      const tell = (status: number, message?: string) => {
        const operation = operationOf(request);
        if (!operation) return;
        const at = { time: estate.clock.now(), correlationId: headers['x-ms-request-id'] };
        activity?.(activityRow({ ...at, request, operation, caller, status, ...(message ? { message } : {}) }));
      };
      refused = tell;
      const type = typeOf(request);
      const fault = await estate.faults.meet('management', `${request.method} ${type}`);
      if (fault.kind === 'answer') throw new ArmError(fault.status, fault.code, fault.message);
      if (fault.kind === 'lostReply' && fault.when === 'before') return { destroy: true };
      const answer = await act(request);
      if (!answer.destroy) tell(answer.status);
      if (fault.kind === 'lostReply' || answer.destroy) return { destroy: true };
      return { ...answer, headers };
    } catch (error) {
      if (!(error instanceof ArmError)) throw error;
      refused(error.status, error.message);
      return { status: error.status, headers, body: { error: { code: error.code, message: error.message } } };
    }
  };

  const listener = await listen({ port: options.port ?? 0, tls: estate.tls, origin: 'https://localhost', handle });
  const service: ManagementService = {
    url: `https://localhost:${listener.port}`,
    provisioningSeconds: 30,
    stop: () => listener.close(),
  };
  return service;
}

/** The identities that a body attaches; undefined when it does not speak of them. */
function attachedBy(given: z.infer<typeof identity> | null | undefined): string[] | undefined {
  if (!given) return undefined;
  return Object.entries(given.userAssignedIdentities ?? {}).flatMap(([id, value]) => {
    // Null takes an identity away, in a PATCH.
    if (value === null) return [];
    const name = identityNamed(id);
    if (!name) throw new ArmError(400, 'FailedIdentityOperation', `The identity ${id} was not found.`);
    return [name];
  });
}

function attach(hsm: EstateHsm, given: z.infer<typeof identity> | null | undefined): void {
  const next = attachedBy(given);
  if (!next) return;
  hsm.backups.identities.clear();
  for (const name of next) hsm.backups.identities.add(name);
}
