import type { Access } from '../access.ts';
import { parseBody, roleAssignmentBody, roleDefinitionBody, settingBody } from '../bodies.ts';
import { badParameter } from '../errors.ts';
import type { RoleDefinitions } from '../roles.ts';
import type { Settings } from '../settings.ts';
import { atHsm, type Call, ok, type Reply, type Route } from './route.ts';

/** Local RBAC and settings. Source of paths and statuses: REST description 2025-07-01, administration.json, and recordings. */
export function accessRoutes(options: { roles: RoleDefinitions; access: Access; settings: Settings }): Route[] {
  const scopes: [string, (params: Record<string, string>) => string][] = [
    ['', () => '/'],
    ['/keys', () => '/keys'],
    ['/keys/:name', (params) => `/keys/${params.name ?? ''}`],
  ];
  return [
    ...scopes.flatMap(([prefix, scope]) => [
      ...definitionRoutes(`${prefix}/providers/Microsoft.Authorization/roleDefinitions`, scope, options.roles),
      ...assignmentRoutes(`${prefix}/providers/Microsoft.Authorization/roleAssignments`, scope, options.access),
    ]),
    ...settingRoutes(options.settings),
  ];
}

function definitionRoutes(path: string, scope: Route['scope'], roles: RoleDefinitions): Route[] {
  const one = `${path}/:id`;
  const id = ({ params }: Call) => params.id ?? '';
  const checkScope = ({ params }: Call) => {
    // Source: managed-hsm/role-management: custom roles exist only at the scope of the HSM.
    if (scope(params) !== '/') throw badParameter('Role definitions can be written only at scope /.');
  };
  const write = (change: (call: Call) => Reply) => (call: Call) => {
    checkScope(call);
    return change(call);
  };
  return [
    {
      method: 'GET',
      path,
      operation: 'RoleDefinitionList',
      dataAction: 'roleDefinitions/read/action',
      scope,
      handle({ request }) {
        const filter = request.url.searchParams.get('$filter');
        const roleName = /^roleName eq '([^']*)'$/i.exec(filter ?? '')?.[1];
        if (filter && roleName === undefined && !/^atScopeAndBelow\(\)$/i.test(filter)) {
          throw badParameter(`Filter '${filter}' is not supported.`);
        }
        return ok({
          value: roles.list().filter(({ properties }) => roleName === undefined || properties.roleName === roleName),
        });
      },
    },
    {
      method: 'GET',
      path: one,
      operation: 'RoleDefinitionGet',
      dataAction: 'roleDefinitions/read/action',
      scope,
      handle: (call) => ok(roles.get(id(call))),
    },
    {
      method: 'PUT',
      path: one,
      operation: 'RoleDefinitionPut',
      dataAction: 'roleDefinitions/write/action',
      scope,
      handle: write((call) => ({
        status: 201,
        body: roles.put(id(call), () => parseBody(roleDefinitionBody, call.body())),
      })),
    },
    {
      method: 'DELETE',
      path: one,
      operation: 'RoleDefinitionDelete',
      dataAction: 'roleDefinitions/delete/action',
      scope,
      handle: write((call) => ok(roles.remove(id(call)))),
    },
  ];
}

function assignmentRoutes(path: string, scope: Route['scope'], access: Access): Route[] {
  const one = `${path}/:id`;
  const id = ({ params }: Call) => params.id ?? '';
  return [
    {
      method: 'GET',
      path,
      operation: 'RoleAssignmentList',
      dataAction: 'roleAssignments/read/action',
      scope,
      handle: ({ params, request }) =>
        ok({ value: access.list(scope(params), request.url.searchParams.get('$filter')) }),
    },
    {
      method: 'GET',
      path: one,
      operation: 'RoleAssignmentGet',
      dataAction: 'roleAssignments/read/action',
      scope,
      handle: (call) => ok(access.get(scope(call.params), id(call))),
    },
    {
      method: 'PUT',
      path: one,
      operation: 'RoleAssignmentPut',
      dataAction: 'roleAssignments/write/action',
      scope,
      handle: (call) => ({
        status: 201,
        body: access.put(scope(call.params), id(call), () => parseBody(roleAssignmentBody, call.body())),
      }),
    },
    {
      method: 'DELETE',
      path: one,
      operation: 'RoleAssignmentDelete',
      dataAction: 'roleAssignments/delete/action',
      scope,
      handle: (call) => ok(access.remove(scope(call.params), id(call))),
    },
  ];
}

function settingRoutes(settings: Settings): Route[] {
  return [
    {
      method: 'GET',
      path: '/settings',
      operation: 'SettingList',
      dataAction: 'settings/read/action',
      scope: atHsm,
      handle: () => ok({ settings: settings.list() }),
    },
    {
      method: 'GET',
      path: '/settings/:id',
      operation: 'SettingGet',
      dataAction: 'settings/read/action',
      scope: atHsm,
      handle: ({ params }) => ok(settings.get(params.id ?? '')),
    },
    {
      method: 'PATCH',
      path: '/settings/:id',
      operation: 'SettingUpdate',
      dataAction: 'settings/write/action',
      scope: atHsm,
      handle: ({ params, body }) => ok(settings.set(params.id ?? '', parseBody(settingBody, body()).value)),
    },
  ];
}
