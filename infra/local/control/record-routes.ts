import * as z from 'zod';
import type { EstateServices } from '../estate-services.ts';
import { APPLICATIONS, type ApplicationName, PEOPLE, type PersonName } from '../identity/registrations.ts';
import { InvalidEvents } from '../topic/events.ts';
import { Problem, parseBody } from './problem.ts';
import type { Route } from './routes.ts';

const topicInput = z.strictObject({
  duplicates: z.number().int().min(0).max(10).optional(),
  reorder: z.boolean().optional(),
  hold: z.boolean().optional(),
  publish: z
    .strictObject({
      schema: z.enum(['EventGridSchema', 'CloudEventSchemaV1_0']),
      events: z.array(z.record(z.string(), z.unknown())).min(1, { error: 'has one event at least' }),
    })
    .optional(),
});

const oneOf = <Name extends string>(names: Record<Name, unknown>) =>
  z.enum(Object.keys(names) as [Name, ...Name[]], { error: `is one of ${Object.keys(names).join(', ')}` });

const tokenClaims = {
  roles: z.array(z.string()).optional(),
  audience: z.string().optional(),
  issuer: z.string().optional(),
  /** Seconds from now; negative: already expired. */
  lifetimeSeconds: z.number().int().optional(),
};
const personInput = z.strictObject({ person: oneOf<PersonName>(PEOPLE), ...tokenClaims });
const applicationInput = z.strictObject({ application: oneOf<ApplicationName>(APPLICATIONS), ...tokenClaims });

/** What the estate's services took and sent. */
export const recordRoutes = ({ mail, webhooks, topic, tokens, identity }: EstateServices): Route[] => [
  {
    method: 'GET',
    path: '/mail',
    purpose: 'Every message, read: headers, text and html. ?to= and ?subject= filter.',
    act({ query }) {
      const [to, subject] = [query.get('to'), query.get('subject')?.toLowerCase()];
      const value = mail.mail.filter(
        (one) =>
          (to === null || one.to.includes(to)) &&
          (subject === undefined || one.subject.toLowerCase().includes(subject)),
      );
      return { value };
    },
  },
  { method: 'DELETE', path: '/mail', purpose: 'Empties the mail sink.', act: () => mail.reset() },
  {
    method: 'GET',
    path: '/webhooks',
    purpose: 'Every webhook call, signature headers included.',
    act: () => ({ value: webhooks.calls }),
  },
  {
    method: 'GET',
    path: '/events',
    purpose: 'Everything the topic took, with delivery attempts. ?type= and ?subject= filter.',
    act({ query }) {
      const [type, subject] = [query.get('type'), query.get('subject')];
      const value = topic.events.filter(
        (one) => (type === null || one.type === type) && (subject === null || one.subject === subject),
      );
      return { value };
    },
  },
  {
    method: 'POST',
    path: '/topic',
    purpose: 'Duplicates, reorders or holds deliveries; publishes forged or foreign events past the topic’s door.',
    example: { duplicates: 1, reorder: true, hold: false },
    act({ body }) {
      const { publish, ...change } = parseBody(topicInput, body());
      const wanted = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined));
      try {
        const published = publish ? topic.publish(publish.events, publish.schema).map(({ id }) => id) : [];
        return { ...topic.handling(wanted), published };
      } catch (error) {
        if (!(error instanceof InvalidEvents)) throw error;
        throw new Problem(400, 'ERR_INPUT', error.message, [{ field: 'publish.events', rule: error.message }]);
      }
    },
  },
  {
    method: 'POST',
    path: '/tokens',
    purpose:
      'A token of a person, or of an application by its own right, for the operator API: other roles, audience, issuer or life on demand.',
    example: { person: 'operator', lifetimeSeconds: 3600 },
    async act({ body }) {
      const { issuer, audience } = identity.api;
      const claimsOf = (wish: object) => ({
        ...{ issuer, audience },
        ...Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined)),
      });
      const given = body();
      if (typeof given === 'object' && given !== null && 'application' in given) {
        const { application, ...wish } = parseBody(applicationInput, given);
        return tokens.forApplication(APPLICATIONS[application], claimsOf(wish));
      }
      const { person, ...wish } = parseBody(personInput, given);
      return tokens.forPerson(PEOPLE[person], claimsOf(wish));
    },
  },
];
