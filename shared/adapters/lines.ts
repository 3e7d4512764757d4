/** The lines of a UTF-8 stream, without their breaks; the last one needs none. A failing stream throws. */
export async function* linesOf(stream: AsyncIterable<unknown> | undefined): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream ?? []) {
    const pieces = (rest + decoder.decode(chunk as Uint8Array, { stream: true })).split('\n');
    rest = pieces.pop() ?? '';
    yield* pieces;
  }
  if (rest !== '') yield rest;
}
