import type { Draft } from '../message.ts';
import type { ComposeContext, Notice } from '../notice.ts';
import { counted } from './about-hsm.ts';
import { closingFacts, instant, keyFacts, versionFact } from './about-key.ts';

type Adopted = Extract<Notice, { kind: 'KeyVersionAdopted' }>;

const STATE: Record<string, string> = { moved: 'uses the new version', silent: 'has fallen silent' };

export function keyVersionAdopted(notice: Adopted, context: ComposeContext): Draft {
  const { key, version, since, explanation, callers, unprotect } = notice;
  return {
    severity: 'info',
    action: false,
    headline: `${key.hsm}/${key.name} new version is in use everywhere`,
    preheader: explanation,
    paragraphs: [
      `Since ${instant(since)} the key ${key.name} has a new version. ${explanation}`,
      ...callers.map(
        ({ caller, state, lastOld }) =>
          `${caller === '' ? 'A caller that the log does not name' : caller}: ${STATE[state] ?? state}; last used an old version at ${instant(lastOld)}.`,
      ),
      ...(unprotect === 0
        ? []
        : [
            `Old versions still open old data for ${counted(unprotect, 'caller')}, as they must: a version that is disabled opens nothing.`,
          ]),
    ],
    facts: [...keyFacts(key, context), versionFact('Version', key, version, context), ...closingFacts(key, notice.at)],
    mustDo: [],
    ...(notice.notify.owner === undefined ? {} : { owner: notice.notify.owner }),
  };
}
