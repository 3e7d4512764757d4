/** A message as a reader would see it. */
export interface ParsedMail {
  /** Names in lower case; the values of repeated fields joined by a comma. */
  headers: Record<string, string>;
  subject: string;
  text: string;
  html: string;
}

interface Part {
  headers: Record<string, string>;
  body: string;
}

/** Reads an Internet message: folded and encoded headers, multipart bodies, quoted-printable and base64. */
export function parseMail(raw: Buffer): ParsedMail {
  // Latin-1 keeps every byte one character until the part's charset is known.
  const message = split(raw.toString('latin1'));
  const leaves = leavesOf(message);
  const ofType = (type: string) => leaves.find((leaf) => contentType(leaf).type === type);
  const decoded = (part: Part | undefined) => (part ? decodeBody(part).replaceAll('\r\n', '\n') : '');
  return {
    headers: message.headers,
    subject: message.headers.subject ?? '',
    text: decoded(ofType('text/plain')),
    html: decoded(ofType('text/html')),
  };
}

function split(text: string): Part {
  const end = text.search(/\r?\n\r?\n/);
  const head = end < 0 ? text : text.slice(0, end);
  const body = end < 0 ? '' : text.slice(end).replace(/^\r?\n\r?\n/, '');
  const headers: Record<string, string> = {};
  for (const line of head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon < 1) continue;
    const name = line.slice(0, colon).toLowerCase();
    const value = decodeWords(line.slice(colon + 1).trim());
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  return { headers, body };
}

function leavesOf(part: Part): Part[] {
  const { type, parameters } = contentType(part);
  if (!type.startsWith('multipart/') || !parameters.boundary) return [part];
  const sections = part.body.split(`--${parameters.boundary}`).slice(1);
  return sections
    .filter((section) => !section.startsWith('--'))
    .flatMap((section) => leavesOf(split(section.replace(/^\r?\n/, '').replace(/\r?\n$/, ''))));
}

function contentType({ headers }: Part): { type: string; parameters: Record<string, string> } {
  const [type = 'text/plain', ...rest] = (headers['content-type'] ?? 'text/plain').split(';');
  const parameters = rest.map((parameter) => {
    const [name = '', ...value] = parameter.split('=');
    return [
      name.trim().toLowerCase(),
      value
        .join('=')
        .trim()
        .replace(/^"(.*)"$/, '$1'),
    ];
  });
  return { type: type.trim().toLowerCase(), parameters: Object.fromEntries(parameters) };
}

function decodeBody(part: Part): string {
  const encoding = (part.headers['content-transfer-encoding'] ?? '7bit').toLowerCase();
  const charset = contentType(part).parameters.charset;
  if (encoding === 'base64') return inCharset(Buffer.from(part.body, 'base64'), charset);
  if (encoding !== 'quoted-printable') return inCharset(Buffer.from(part.body, 'latin1'), charset);
  return inCharset(unquote(part.body.replace(/=[ \t]*\r?\n/g, '')), charset);
}

const unquote = (text: string): Buffer =>
  Buffer.from(
    text.replace(/=([0-9A-Fa-f]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );

const inCharset = (bytes: Buffer, charset = 'utf-8'): string => new TextDecoder(charset).decode(bytes);

/** Encoded words of RFC 2047; the blank between two of them belongs to neither. */
const decodeWords = (value: string): string =>
  value
    .replace(/(=\?[^?]+\?[BbQq]\?[^?]*\?=)\s+(?==\?)/g, '$1')
    .replace(/=\?([^?]+)\?([BbQq])\?([^?]*)\?=/g, (_all, charset: string, encoding: string, text: string) =>
      inCharset(
        encoding.toUpperCase() === 'B' ? Buffer.from(text, 'base64') : unquote(text.replace(/_/g, ' ')),
        charset,
      ),
    );
