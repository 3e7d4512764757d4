import type { Message } from './message.ts';
import { renderText } from './render-text.ts';

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

/** The mail as one self-contained HTML page. */
export const renderHtml = (message: Message): string =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><title>${escapeHtml(message.subject)}</title><pre>${escapeHtml(renderText(message))}</pre></html>`;
