import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { composeMessage } from '../../../shared/notification/compose-message.ts';
import type { Message } from '../../../shared/notification/message.ts';
import type { Notice } from '../../../shared/notification/notice.ts';
import { renderHtml } from '../../../shared/notification/render-html.ts';
import { renderText } from '../../../shared/notification/render-text.ts';
import { NEW_VERSION } from '../builders.ts';
import { COMMAND, CONTEXT, EXAMPLES, identifier } from './examples.ts';

const compose = (notice: Notice): Message => composeMessage(notice, CONTEXT);
const all = Object.values(EXAMPLES);

/** Text as hostile as it comes: markup, entities, header and line breaks, controls, halves of characters. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '<script>',
        '</td>',
        '"',
        "'",
        '&',
        '&lt;',
        '\r\n',
        '\n',
        '\t',
        '\0',
        '\u2028',
        '\u202e',
        '\ud800',
      ),
      fc.constantFrom('<img src=x onerror=1>', 'Bcc: a@b.example', '=?utf-8?q?x?=', 'word', ' ', '😀'),
      fc.string({ unit: 'binary', maxLength: 8 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

/** Any kind of notice with every text in it replaced, as far as its shape allows. */
const hostileNotice: fc.Arbitrary<Notice> = fc
  .tuple(fc.constantFrom(...all), fc.array(hostile, { minLength: 12, maxLength: 12 }))
  .map(([notice, texts]) => {
    let next = 0;
    const fixed = new Set(['kind', 'at', 'by', 'reason', 'proof', 'result', 'action', 'code', 'attribute']);
    const replace = (value: unknown, field: string): unknown => {
      if (typeof value === 'string') return fixed.has(field) || value === 'old' || value === 'new' ? value : text();
      if (Array.isArray(value)) return value.map((each) => replace(each, field));
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, replace(inner, name)]));
    };
    const text = () => texts[next++ % texts.length] ?? '';
    return replace(notice, '') as Notice;
  });

describe('whatever a notice holds', () => {
  test('no text has a line break, a control or half a character', () => {
    fc.assert(
      fc.property(hostileNotice, (notice) => {
        for (const text of textsOf(compose(notice))) expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }),
    );
  });

  test('a subject is one short line', () => {
    fc.assert(
      fc.property(hostileNotice, (notice) => {
        expect(Array.from(compose(notice).subject).length).toBeLessThanOrEqual(160);
      }),
    );
  });

  test('its HTML has the same elements as any mail of that shape: nothing in it became markup', () => {
    fc.assert(
      fc.property(hostileNotice, (notice) => {
        const message = compose(notice);
        expect(tagsOf(renderHtml(message))).toEqual(tagsOf(renderHtml(blanked(message))));
      }),
    );
  });

  test('its text keeps to 72 columns, save a single longer word and a command', () => {
    fc.assert(
      fc.property(hostileNotice, (notice) => {
        const message = compose(notice);
        const labels = message.facts.map(({ label }) => label);
        for (const line of renderText(message).split('\n')) {
          if (line.length <= 72 || message.commands.includes(line.trim())) continue;
          const label = labels.find((each) => line.startsWith(`${each}  `)) ?? '';
          expect(
            line
              .slice(label.length)
              .replace(/^(\d+\.|[-✓✗–]) /u, '')
              .trim(),
          ).not.toContain(' ');
        }
      }),
    );
  });
});

describe('the text', () => {
  test('says everything that the message says', () => {
    for (const notice of all) {
      const flat = renderText(compose(notice)).replaceAll(/\s+/g, ' ');
      const { subject: _, preheader: __, severity: ___, ...said } = compose(notice);
      for (const text of textsOf(said)) expect(flat).toContain(text);
    }
  });

  test('leaves a command whole on a line of its own, and gives it once', () => {
    const lines = renderText(compose(EXAMPLES.RotationFailed)).split('\n');
    expect(lines.filter((line) => line.includes('az keyvault'))).toEqual([`    ${COMMAND}`]);
  });

  test('aligns facts, and continues them under their values', () => {
    const lines = renderText(compose(EXAMPLES.KeyRotated)).split('\n');
    expect(lines).toContain('HSM           contoso, https://contoso.managedhsm.azure.net');
    expect(lines).toContain(`              ${identifier(NEW_VERSION)}`);
  });

  test('says Nothing where nothing must be done', () => {
    expect(renderText(compose(EXAMPLES.KeyRotated))).toContain(
      'What you must do\n----------------\nNothing. Consumers',
    );
  });

  test('marks checks', () => {
    const text = renderText(compose(EXAMPLES.RotationNotCounted));
    expect(text).toContain('✓ The new version wraps a data key');
    expect(text).toContain('✗ The new version unwraps a data key');
  });
});

describe('the HTML', () => {
  const html = renderHtml(compose(EXAMPLES.RotationNotCounted));

  test('fetches nothing and runs nothing', () => {
    expect(html).not.toMatch(/<(script|img|link|iframe|form|a)\b|\b(src|href|url|@import)\b\s*[=(]/i);
  });

  test('can be read aloud: language, headings, and tables that say whether they are layout', () => {
    expect(html).toContain('<html lang="en">');
    expect(html.match(/<h1\b/g)).toHaveLength(1);
    expect(html).toContain('<th class="line muted" scope="row"');
    expect(html).toContain('role="presentation"');
    expect(html).toContain('✗</b>&nbsp; failed');
  });

  test('has a design for the dark', () => {
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).toContain('@media (prefers-color-scheme: dark)');
  });

  test.each([
    ['light', '#1f2933', '#f6f7f9'],
    ['light', '#52606d', '#f2f4f6'],
    ['light', '#1d6b53', '#ffffff'],
    ['light', '#8a5200', '#ffffff'],
    ['light', '#b3261e', '#ffffff'],
    ['dark', '#e6e9ec', '#1e2328'],
    ['dark', '#a9b3bd', '#1e2328'],
    ['dark', '#7fd1b0', '#1e2328'],
    ['dark', '#f0b65a', '#1e2328'],
    ['dark', '#ff8a80', '#1e2328'],
  ])('has contrast in the %s: %s on %s', (_, ink, ground) => {
    const pages = all.map((notice) => renderHtml(compose(notice))).join('');
    expect(pages).toContain(ink);
    expect(pages).toContain(ground);
    expect(contrast(ink, ground)).toBeGreaterThanOrEqual(4.5);
  });
});

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => (name === 'result' ? [] : textsOf(inner)));
}

/** The same message with the letter x for every text; commands keep the options that are marked up. */
function blanked(message: Message): Message {
  const blank = (value: unknown, field: string): unknown => {
    if (typeof value === 'string') return ['severity', 'result', 'commands'].includes(field) ? value : 'x';
    if (Array.isArray(value)) return value.map((each) => blank(each, field));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, blank(inner, name)]));
  };
  return blank(message, '') as Message;
}

/** Every tag with its attributes, as a parser would see them start. */
const tagsOf = (html: string): string[] => html.match(/<[^>]*>/g) ?? [];

/** WCAG 2.2, contrast ratio of two sRGB colours. */
function contrast(one: string, other: string): number {
  const [lighter = 0, darker = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (lighter + 0.05) / (darker + 0.05);
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((start) => {
    const part = Number.parseInt(colour.slice(start, start + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
