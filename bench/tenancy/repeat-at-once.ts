/** As in a process that is busy, and fewer than a pool has connections. */
const AT_ONCE = 8;

/**
 * Does `work` `times` times, several at once. One after the other, a process falls asleep over each answer of a server and
 * pays for waking up, the more the longer the server took: the same client work then costs a third more of this process's
 * CPU where the server's answer takes 50 µs more.
 */
export async function repeatAtOnce(times: number, work: (n: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < times) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}
