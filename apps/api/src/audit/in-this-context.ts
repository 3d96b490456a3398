import { currentContext, enterContext } from '#libs/context';

/**
 * `parts` asked for in the present context, whoever asks: a stream is read from the socket's events, long after the handler
 * has returned, and belongs to its request all the same.
 */
export async function* inThisContext<T>(parts: AsyncGenerator<T>): AsyncGenerator<T> {
  const context = currentContext();
  try {
    for (;;) {
      const { value, done } = await enterContext(context, () => parts.next());
      if (done) return;
      yield value;
    }
  } finally {
    await enterContext(context, () => parts.return(undefined));
  }
}
