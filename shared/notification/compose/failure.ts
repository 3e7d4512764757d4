import type { Denial, ErrorCode } from '../../errors.ts';
import type { Fact } from '../message.ts';
import type { ComposeContext } from '../notice.ts';
import { hsmUri } from './about-key.ts';

/** What a notice says of something that failed. */
export interface ToldFailure {
  code?: ErrorCode;
  message: string;
  nextStep: string;
  denial?: Denial;
}

/** It passes, or the next sweep tries again: nobody has to act on the first word of it. */
const PASSING: ReadonlySet<ErrorCode | undefined> = new Set<ErrorCode>([
  'ERR_TRANSIENT',
  'ERR_THROTTLED',
  'ERR_UNKNOWN_OUTCOME',
  'ERR_HSM_BUSY',
]);

export const isPassing = ({ code }: ToldFailure): boolean => PASSING.has(code);

/** A few words for a subject. */
export function failureInBrief({ code, denial }: ToldFailure): string {
  if (denial?.dataAction !== undefined) return 'a permission is missing';
  switch (code) {
    case 'ERR_DENIED':
      return 'access was denied';
    case 'ERR_NOT_FOUND':
      return 'something was not found';
    case 'ERR_CONFLICT':
      return 'somebody else changed it meanwhile';
    case 'ERR_HSM_BUSY':
      return 'the HSM is busy';
    case 'ERR_REFUSED_BY_SERVICE':
      return 'the service refused';
    case 'ERR_TRANSIENT':
    case 'ERR_THROTTLED':
    case 'ERR_UNKNOWN_OUTCOME':
      return 'the service did not answer as it should';
    default:
      return 'it needs a look';
  }
}

export const failureFacts = ({ code, denial }: ToldFailure): Fact[] => [
  ...(code === undefined ? [] : [{ label: 'Code', value: code }]),
  ...(denial?.dataAction === undefined ? [] : [{ label: 'Data action', value: denial.dataAction }]),
  ...(denial?.scope === undefined ? [] : [{ label: 'Scope', value: denial.scope }]),
  ...(denial === undefined
    ? []
    : [
        { label: 'Identity', value: `duty ${denial.duty}` },
        { label: 'Client id', value: denial.clientId },
      ]),
];

const COMMAND = /:? *(az keyvault role assignment create(?: --[a-z-]+ (?:"[^"]*"|\S+?))+)(?=[,.]?(?:\s|$))/;

/**
 * What to do about it. A command inside the next step is taken out of the sentence, so that it stands once and can be
 * copied whole; one is made when a permission is named and nobody has worded the command yet.
 */
export function remedy(
  failure: ToldFailure,
  hsm: string,
  context: ComposeContext,
): { mustDo: string[]; commands: string[] } {
  const { nextStep, denial } = failure;
  const [, command] = COMMAND.exec(nextStep) ?? [];
  if (command !== undefined) return { mustDo: [nextStep.replace(COMMAND, ' the command below')], commands: [command] };
  if (denial?.dataAction === undefined || denial.scope === undefined) return { mustDo: [nextStep], commands: [] };
  return {
    mustDo: [nextStep, 'Grant it with the command below, where ROLE is a role that holds this data action.'],
    commands: [
      `az keyvault role assignment create --hsm-name ${hostName(hsm, context)} --role ROLE --assignee ${denial.clientId} --scope ${denial.scope}`,
    ],
  };
}

/** `az --hsm-name` takes the first part of the host, which the settings may call otherwise. */
const hostName = (hsm: string, context: ComposeContext): string =>
  /^https:\/\/([^./:]+)/.exec(hsmUri(hsm, context) ?? '')?.[1] ?? hsm;
