/** HTML that is safe to send: only the template below makes it, and that escapes whatever is put into it. */
export interface Markup {
  readonly html: string;
}

type Piece = string | Markup | readonly Markup[];

/** Markup from a literal; texts put into it are escaped for element content and quoted attributes, markup is not. */
export const markup = (literals: TemplateStringsArray, ...pieces: readonly Piece[]): Markup => ({
  html: literals.map((literal, index) => literal + printed(pieces[index] ?? '')).join(''),
});

export const NOTHING: Markup = { html: '' };

function printed(piece: Piece): string {
  if (typeof piece === 'string') return escapeText(piece);
  return 'html' in piece ? piece.html : piece.map(({ html }) => html).join('');
}

const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

const escapeText = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
