import type { Check, Message } from './message.ts';

/** Columns of a line; a single longer word, such as an identifier, and a command stay whole. */
const WIDTH = 72;
const MARK: Record<Check['result'], string> = { ok: '✓', failed: '✗', unprovable: '–' };

/** The mail as plain text: 72 columns, facts aligned, commands whole on lines of their own. */
export function renderText(message: Message): string {
  const { checks = [], facts, warnings } = message;
  const labelWidth = Math.max(0, ...facts.map(({ label }) => label.length)) + 2;
  return [
    wrap(message.headline),
    '='.repeat(Math.min(WIDTH, message.headline.length)),
    '',
    message.greeting === '' ? [] : [wrap(message.greeting), ''],
    message.paragraphs.flatMap((paragraph) => [wrap(paragraph), '']),
    section(
      'What you must do',
      message.mustDo.length === 0
        ? [wrap(['Nothing.', message.mustDoNote ?? ''].join(' '))]
        : [...message.mustDo.map((todo, index) => wrap(todo, `${index + 1}. `)), ...note(message)],
      message.commands.flatMap((command) => ['', `    ${command}`]),
    ),
    section('Proof, check by check', checks.map(checkLine)),
    section(
      'Take note',
      warnings.map((warning) => wrap(warning, '- ')),
    ),
    section(
      'Facts',
      facts.map(({ label, value }) => wrap(value, label.padEnd(labelWidth))),
    ),
    '-- ',
    wrap(message.footer),
    '',
  ]
    .flat(2)
    .join('\n');
}

const note = ({ mustDoNote }: Message): string[] => (mustDoNote === undefined ? [] : [wrap(mustDoNote)]);

function section(title: string, ...parts: string[][]): string[] {
  const lines = parts.flat();
  return lines.length === 0 ? [] : [title, '-'.repeat(title.length), ...lines, ''];
}

const checkLine = ({ text, result, detail }: Check): string =>
  wrap(`${text}${remark(result, detail)}`, `${MARK[result]} `);

const remark = (result: Check['result'], detail: string | undefined): string =>
  detail === undefined ? (result === 'unprovable' ? ': not provable' : '') : `: ${detail}`;

/** Breaks between words; lines after the first are indented to stand under the first one's text. */
function wrap(text: string, lead = ''): string {
  const indent = ' '.repeat(lead.length);
  const lines: string[] = [];
  let line = '';
  for (const word of text.trim().split(' ')) {
    if (line !== '' && lead.length + line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line].map((each, index) => `${index === 0 ? lead : indent}${each}`.trimEnd()).join('\n');
}
