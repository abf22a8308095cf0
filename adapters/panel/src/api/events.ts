/** One event of a stream (text/event-stream). */
export interface ServerEvent {
  name: string;
  data: string;
  /** Where the stream is after it, if the server says so. */
  id?: string;
}

/**
 * Splits a stream of text into events, as far as it is used here: names, data and IDs, and
 * comments, which are dropped. (WHATWG HTML, 9.2.6)
 */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  const reader = body.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
      rest = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = parse(block);
        if (event) {
          yield event;
        }
      }
    }
  } finally {
    reader.cancel().catch(() => undefined); // it has ended, or was broken off
  }
}

function parse(block: string): ServerEvent | undefined {
  let name = "message";
  let id: string | undefined;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [field, value] = cut(line);
    if (field === "event") {
      name = value;
    } else if (field === "id") {
      id = value;
    } else if (field === "data") {
      data.push(value);
    }
  }
  return data.length > 0 ? { name, data: data.join("\n"), ...(id !== undefined && { id }) } : undefined;
}

function cut(line: string): [string, string] {
  const colon = line.indexOf(":");
  return colon < 0 ? [line, ""] : [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, "")];
}
