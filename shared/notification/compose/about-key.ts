import { keyLabel } from '../../keys/key.ts';
import { oneLine } from '../clean.ts';
import type { Fact } from '../message.ts';
import type { ComposeContext, NoticeKey } from '../notice.ts';

const LONGEST_TAG = 80;

/** An expired version is no dead one, and owners act wrongly when they believe so. */
export const EXPIRED_VERSION =
  'An expired version still unwraps, decrypts and verifies; it does not wrap, encrypt or sign any more.';

/** Eight of the 32 digits tell the versions of one key apart. */
export const shortVersion = (version: string): string => version.slice(0, 8);

/** The full identifier by which consumers name a version; the HSM's name stands in while its address is not known. */
export const keyIdentifier = ({ hsm, name }: NoticeKey, version: string, context: ComposeContext): string =>
  `${hsmUri(hsm, context) ?? hsm}/keys/${name}/${version}`;

/** Where and what the key is. */
export const keyFacts = (key: NoticeKey, context: ComposeContext): Fact[] => [
  { label: 'Installation', value: context.installation },
  hsmFact(key.hsm, context),
  { label: 'Key', value: key.keyType === undefined ? keyLabel(key) : `${keyLabel(key)} (${key.keyType})` },
];

export function hsmFact(hsm: string, context: ComposeContext): Fact {
  const uri = hsmUri(hsm, context);
  return { label: 'HSM', value: uri === undefined ? hsm : `${hsm}, ${uri}` };
}

/** Address of an HSM by its name in the settings, while there is one. */
export const hsmUri = (hsm: string, { hsmUris }: ComposeContext): string | undefined =>
  Object.hasOwn(hsmUris, hsm) ? hsmUris[hsm] : undefined;

/** One version: short, by which people compare, then whole, by which machines do. */
export const versionFact = (label: string, key: NoticeKey, version: string, context: ComposeContext): Fact => ({
  label,
  value: `${shortVersion(version)}, ${keyIdentifier(key, version, context)}`,
});

/** When it happened, until when the key lives, and what its tags say of it. */
export const closingFacts = (key: NoticeKey, at: string): Fact[] => [
  ...(key.expiresOn === undefined ? [] : [{ label: 'Expires on', value: key.expiresOn }]),
  { label: 'At', value: at },
  ...tagFacts(key.tags ?? {}),
];

function tagFacts(tags: Record<string, string>): Fact[] {
  const told = Object.entries(tags).map(
    ([name, value]) => `${oneLine(name, LONGEST_TAG)}=${oneLine(value, LONGEST_TAG)}`,
  );
  return told.length === 0 ? [] : [{ label: 'Tags', value: told.join('; ') }];
}
