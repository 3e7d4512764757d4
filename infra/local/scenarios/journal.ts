import type { Observer } from './observer.ts';
import type { Story } from './story.ts';

/** The last step of a story: an auditor walks the journal. */
export async function theJournalIsUnbroken(story: Story, look: Observer): Promise<void> {
  await story.step('The journal is walked from its first line', async (say) => {
    const { status, body } = await look.api('GET', '/api/journal/verification', { as: 'auditor' });
    const verification = body as { kind: string; entries: number; repeats: number };
    story.claim(status === 200 && verification.kind === 'unbroken', `unbroken, not ${JSON.stringify(body)}`);
    say(
      `${verification.entries} lines in one hash chain; ${verification.repeats} repeats after crashes, all harmless.`,
    );
  });
  story.proven('Every act was journaled before and after, in one unbroken hash chain.');
}
