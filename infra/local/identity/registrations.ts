import type { Principal } from '../estate.ts';

/** A managed identity attached to the function app, or to a service of the estate. */
export interface Identity {
  name: string;
  clientId: string;
  objectId: string;
}

/** A person with app roles in the operator API. */
export interface Person {
  name: string;
  upn: string;
  objectId: string;
  roles: string[];
}

/** An application of the tenant that calls the operator API as itself. */
export interface Application {
  name: string;
  clientId: string;
  /** Of its service principal. */
  objectId: string;
  /** App roles in the operator API. */
  roles: string[];
}

export const TENANT_ID = '00000000-0000-4000-8000-00000000feed';

const identity = (name: string, number: string): Identity => ({
  name,
  clientId: `00000000-0000-4000-8000-0000000c${number}`,
  objectId: `00000000-0000-4000-8000-0000000b${number}`,
});

/** One identity per duty, so that each can hold the least role that works. */
export const IDENTITIES = {
  observe: identity('observe', '0001'),
  rotate: identity('rotate', '0002'),
  backup: identity('backup', '0003'),
  restore: identity('restore', '0004'),
  respond: identity('respond', '0005'),
  administrator: identity('administrator', '0006'),
  consumer: identity('consumer', '0007'),
  eventGrid: identity('event-grid', '0008'),
  reinstate: identity('reinstate', '0009'),
  record: identity('record', '0010'),
} as const;

export type IdentityName = keyof typeof IDENTITIES;

const person = (name: string, number: string, ...roles: string[]): Person => ({
  name,
  upn: `${name.toLowerCase().replace(' ', '.')}@contoso.example`,
  objectId: `00000000-0000-4000-8000-0000000a${number}`,
  roles,
});

/** One person per app role of the operator API, and one who holds two of them. */
export const PEOPLE = {
  viewer: person('Vera Viewer', '0001', 'Viewer'),
  operator: person('Omar Operator', '0002', 'Operator'),
  approver: person('Ana Approver', '0003', 'Approver'),
  auditor: person('Alan Auditor', '0004', 'Auditor'),
  // As in small teams: may ask and approve, but never approve what she asked for.
  manager: person('Mona Manager', '0005', 'Operator', 'Approver'),
} as const;

export type PersonName = keyof typeof PEOPLE;

export const APPLICATIONS = {
  /**
   * Whom the secure webhook of an action group calls as. The client id is the same in every tenant.
   * https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups
   */
  actionGroups: {
    name: 'AzNS AAD Webhook',
    clientId: '461e8683-5575-4561-ac7f-899cc907d62a',
    objectId: '00000000-0000-4000-8000-0000000f0001',
    roles: ['ActionGroupsSecureWebhook'],
  },
  /** Registered in the tenant, and nothing to this API. */
  other: {
    name: 'other',
    clientId: '00000000-0000-4000-8000-0000000d0002',
    objectId: '00000000-0000-4000-8000-0000000f0002',
    roles: [],
  },
} satisfies Record<string, Application>;

export type ApplicationName = keyof typeof APPLICATIONS;

/** The application id of the tool with which people ask for their tokens. */
export const OPERATOR_CLIENT_ID = '00000000-0000-4000-8000-0000000d0001';

export const identityPrincipal = (identity: Identity): Principal => ({
  oid: identity.objectId,
  appid: identity.clientId,
  tid: TENANT_ID,
  name: identity.name,
  roles: [],
});
