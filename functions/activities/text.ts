/** Bytes as text and back, with nothing but what every runtime has. */

export const hex = (data: Uint8Array): string =>
  Array.from(data, (byte) => byte.toString(16).padStart(2, '0')).join('');

export const base64url = (data: Uint8Array): string =>
  btoa(String.fromCharCode(...data))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

export const fromBase64url = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0));

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Digests of texts as hex, by what the world offers. */
export const sha256Of =
  ({ crypto }: { crypto: { digest(algorithm: 'SHA-256', data: Uint8Array): Uint8Array } }) =>
  (text: string): string =>
    hex(crypto.digest('SHA-256', utf8(text)));
