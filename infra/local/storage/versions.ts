import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Immutability } from './immutability.ts';

/**
 * Azurite has no versions. A blob here has one, the current, and its id is derived from what changes with each write: so
 * clients that keep or compare version ids work, and an id from before an overwrite is not found any more.
 */
export function versionId(headers: {
  etag?: string | undefined;
  lastModified?: string | undefined;
}): string | undefined {
  const { etag, lastModified } = headers;
  if (etag === undefined || lastModified === undefined) return undefined;
  const digits = createHash('sha256').update(etag.replaceAll('"', '')).digest().readUInt32BE() % 10_000_000;
  return new Date(lastModified).toISOString().replace(/\d{3}Z$/, `${String(digits).padStart(7, '0')}Z`);
}

export const versionOf = (headers: IncomingHttpHeaders): string | undefined =>
  headers['x-ms-blob-type'] === 'AppendBlob'
    ? undefined
    : versionId({ etag: headers.etag, lastModified: headers['last-modified'] });

/** Parts of a listing that the proxy adds, because Azurite does not know them. */
export const ADDED_TO_LISTS = ['versions', 'immutabilitypolicy', 'legalhold'] as const;

/** A listing of Azurite's with what `include` asks for beyond it. */
export function extendList(
  xml: string,
  include: ReadonlySet<string>,
  policyOf: (blob: string) => ReturnType<Immutability['blob']>,
): string {
  return xml.replace(/<Blob>(.*?)<\/Blob>/gs, (_blob, inner: string) => {
    const member = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(inner)?.[1];
    const { until, mode, legalHold } = policyOf(unescapeXml(member('Name')));
    const version = versionId({ etag: member('Etag'), lastModified: member('Last-Modified') });
    const versions =
      include.has('versions') && version
        ? `<VersionId>${version}</VersionId><IsCurrentVersion>true</IsCurrentVersion>`
        : '';
    const policy =
      include.has('immutabilitypolicy') && until
        ? `<ImmutabilityPolicyUntilDate>${new Date(until).toUTCString()}</ImmutabilityPolicyUntilDate><ImmutabilityPolicyMode>${mode?.toLowerCase()}</ImmutabilityPolicyMode>`
        : '';
    const hold = include.has('legalhold') && legalHold ? '<LegalHold>true</LegalHold>' : '';
    const extended = inner
      .replace('</Name>', `</Name>${versions}`)
      .replace('</Properties>', `${policy}${hold}</Properties>`);
    return `<Blob>${extended}</Blob>`;
  });
}

export const unescapeXml = (text = ''): string =>
  text.replace(
    /&(amp|lt|gt|quot|apos);/g,
    (_all, name: string) => ({ amp: '&', lt: '<', gt: '>', quot: '"' })[name] ?? "'",
  );
