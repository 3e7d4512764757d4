import { roundOf } from './incident.ts';
import type { PlanFacts } from './plan.ts';
import { isPlain } from './plan-keys.ts';
import { lostLogging } from './plan-logging.ts';
import type { PlannedStep } from './step.ts';

/** What only people can do, by the class of the compromise and by what the app could not see. */
export function peopleSteps(facts: PlanFacts): PlannedStep[] {
  return [...loggingSteps(facts), ...rolesSteps(facts), ...classSteps(facts)];
}

function step(
  { incident }: PlanFacts,
  id: string,
  {
    title,
    why,
    shown = [],
    commands = [],
    compensation = 'Whoever does it writes down how it is undone.',
    offered = false,
  }: {
    title: string;
    why: string;
    shown?: string[];
    commands?: string[];
    compensation?: string;
    offered?: boolean;
  },
): PlannedStep {
  const round = roundOf(incident);
  return {
    id: `${round > 1 ? `r${round}-` : ''}person-${id}`,
    kind: 'person',
    doneBy: 'people',
    title,
    why,
    mode: 'auto',
    ...(offered ? { offered: true as const } : {}),
    state: 'planned',
    compensation,
    shown,
    commands,
    decisions: [],
  };
}

const LOST = {
  gone: 'It is gone',
  changed: 'It was changed since',
  unknown: 'It could not be read now, and the findings speak of the log',
} as const;

/** No identity of the app may write diagnostic settings, so that none of them can blind the log. */
function loggingSteps(facts: PlanFacts): PlannedStep[] {
  const { incident, logging } = facts;
  if (!logging) return [];
  const blind = incident.findings.some(({ detector }) => detector === 'logging-gap');
  return lostLogging(logging)
    .filter(({ how }) => how !== 'unknown' || blind)
    .map(({ setting, how, othersTell, command, undo }) =>
      step(facts, `logging-${setting.name.replaceAll(/[^0-9A-Za-z]+/g, '-').slice(0, 60)}`, {
        title: `Re-create the diagnostic setting ${setting.name} of ${incident.hsm} as it was last seen`,
        why: `It carried the audit rows of the HSM, and was last seen so on ${logging.seenOn}. ${LOST[how]}${
          othersTell ? '; audit rows still go elsewhere.' : ', so what is done on the HSM may leave no row.'
        }`,
        shown: [
          'Keep the setting as it is now as evidence first, and ask who changed it.',
          'Whoever does it needs the role Monitoring Contributor on the HSM. The command is written for bash and the Cloud Shell.',
          ...(command
            ? []
            : ['Its name or its places hold characters that are not safe in a shell: re-create it in the portal.']),
        ],
        commands: command ? [command] : [],
        ...(undo ? { compensation: `Delete it again: ${undo}` } : {}),
        offered: othersTell,
      }),
    );
}

/** Access that the app cannot take away, because it cannot see how it was given. */
function rolesSteps(facts: PlanFacts): PlannedStep[] {
  const { incident, assignments, takenElsewhere = [] } = facts;
  const { hsm, subject } = incident;
  if (assignments === undefined) {
    return [
      step(facts, 'roles', {
        title: `Read the local roles of ${hsm} and take away those that let the intruder in`,
        why: 'The app could not read the role assignments, so it can take none away.',
        commands: [`az keyvault role assignment list --hsm-name ${hsm}`],
      }),
    ];
  }
  if (subject.kind !== 'caller') return [];
  const { oid } = subject.caller;
  const had = [...assignments, ...takenElsewhere.map(({ assignment }) => assignment)];
  if (had.some(({ principalId }) => principalId.toLowerCase() === oid.toLowerCase())) return [];
  return [
    step(facts, 'group', {
      title: `Find how ${subject.caller.upn ?? oid} came in, and close that`,
      why: `No assignment names ${oid} itself: the access came through a group, or is gone already.`,
      shown: [
        'To leave a group works only once the token of the caller ends, in about an hour (a day for managed identities). To replace the assignment of the group by one for its other members works at once.',
      ],
    }),
  ];
}

function classSteps(facts: PlanFacts): PlannedStep[] {
  const { incident, keys } = facts;
  const { hsm } = incident;
  switch (incident.class) {
    case 'misuse':
    case 'keyMaterial':
      return [];
    case 'rootOfTrust':
      return [
        step(facts, 'rootOfTrust', {
          title: `Decide about the security domain of ${hsm}`,
          why: 'With the security domain and a full backup, and a quorum of its keys, the HSM can be rebuilt elsewhere.',
          shown: [
            'Only wrapping keys are lost or exposed: the holders download the security domain again under new ones. The domain itself stays.',
            'The domain itself is out: everything is decrypted with the present keys and protected again on a new HSM with a new domain, because key material cannot move between domains.',
            'Look at GET /api/custody first: it says who holds which share, and when it was last seen.',
          ],
        }),
      ];
    case 'destruction':
      return [
        step(facts, 'recover', {
          title: `Bring back what was deleted on ${hsm}`,
          why: 'Soft-deleted keys can be recovered until they are purged. Stop every automation that purges first.',
          shown: [
            'A full restore replaces the whole HSM: it is asked for with POST /api/restores, and another person approves it.',
          ],
          commands: keys
            .map(({ name }) => name)
            .filter(isPlain)
            .slice(0, 20)
            .map((name) => `az keyvault key recover --hsm-name ${hsm} --name ${name}`),
        }),
      ];
    case 'controls':
      return [
        step(facts, 'controls', {
          title: `Put the guard-rails of ${hsm} back as they were approved`,
          why: 'Roles, settings, network or logging were weakened; whatever was done since may have gone unseen.',
          shown: [
            'Restore logging first. What happened while it was off is unknown, and the report says so.',
            'Then look for use by whoever gained access, since the change.',
          ],
          commands: [
            `az keyvault setting list --hsm-name ${hsm}`,
            `az keyvault role definition list --hsm-name ${hsm} --custom-role-only`,
          ],
        }),
      ];
  }
}
