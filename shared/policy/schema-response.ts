import * as z from 'zod';
import { ANSWERS, type PartialResponse } from './response-rule.ts';
import { count, duration, oneOf } from './schema-parts.ts';

const objectIds = z.array(z.guid({ error: 'is an object id, a GUID' }), { error: 'is a list of object ids' });
const mails = z.array(z.email({ error: 'is a mail address' }), { error: 'is a list of mail addresses' });
const answer = oneOf(ANSWERS);

/** The section `response` of the policy document. */
export const response = z.strictObject({
  mode: z
    .exactOptional(answer)
    .describe('observe keeps evidence, notify tells, contain takes roles away, rotate makes new versions as well'),
  from: z
    .exactOptional(oneOf(['Low', 'Medium', 'High', 'Critical']))
    .describe('Incidents that are less severe are told, and not contained'),
  classes: z
    .exactOptional(
      z.strictObject({
        misuse: z.exactOptional(answer).describe('A key was used by somebody who should not'),
        keyMaterial: z.exactOptional(answer).describe('Material of a key left the HSM'),
        rootOfTrust: z.exactOptional(answer).describe('Security domain or full backup'),
        destruction: z.exactOptional(answer).describe('Keys or the HSM are removed'),
        controls: z.exactOptional(answer).describe('Roles, settings, network or logging were weakened'),
      }),
    )
    .describe('What differs for a class of compromise'),
  keyScope: z
    .exactOptional(oneOf(['policy', 'approval', 'twoApprovals']))
    .describe('Who lets an assignment at one key be taken away; policy: nobody is asked'),
  hsmScope: z
    .exactOptional(oneOf(['approval', 'twoApprovals']))
    .describe('Who lets an assignment at / or /keys be taken away'),
  services: z
    .exactOptional(oneOf(['approval', 'twoApprovals']))
    .describe('Who lets the role of a service be taken away, which stops then'),
  administrators: z.exactOptional(count(2, 50)).describe('So many administrators are left, whatever happens'),
  breakGlass: z.exactOptional(objectIds).describe('Emergency accounts by object id: never contained, always told'),
  approvalLasts: z.exactOptional(duration).describe('How long a step waits for people; then it is not done'),
  escalate: z
    .exactOptional(
      z.strictObject({
        owner: z.exactOptional(duration).describe('When the owner is called again'),
        deputy: z.exactOptional(duration).describe('When the deputies are called'),
        lead: z.exactOptional(duration).describe('When the leads are called'),
      }),
    )
    .describe('How long after a step began to wait each circle is called'),
  deputies: z.exactOptional(mails).describe('Called second'),
  leads: z.exactOptional(mails).describe('Called last'),
  watch: z.exactOptional(duration).describe('How long the intruder is looked for after containment'),
  watchMoved: z.exactOptional(duration).describe('The same where key material or the root of trust is out'),
}) satisfies z.ZodType<PartialResponse>;

/** One example a field, told with a fault. */
export const RESPONSE_EXAMPLES: Record<string, string> = {
  response: '{ "mode": "contain", "keyScope": "policy", "breakGlass": ["00000000-0000-4000-8000-00000000b001"] }',
  classes: '{ "misuse": "rotate" }',
  keyScope: 'policy',
  hsmScope: 'twoApprovals',
  services: 'approval',
  breakGlass: '["00000000-0000-4000-8000-00000000b001"]',
  escalate: '{ "owner": "PT15M", "deputy": "PT30M", "lead": "PT1H" }',
  deputy: 'PT30M',
  lead: 'PT1H',
  deputies: '["deputy@contoso.example"]',
  leads: '["lead@contoso.example"]',
  watch: 'P3D',
  watchMoved: 'P30D',
};
