// @ts-check
/**
 * Shows on stderr that a long step is under way: one line that counts seconds on a terminal, a line every 15 s
 * elsewhere, so that a log stays readable and a watcher still sees life.
 *
 * @param {string} label
 * @returns {{ succeed(): void, fail(): void }} ends the line; call one of them, once
 */
export function startProgressLine(label) {
  const { stderr } = process;
  const startedAt = performance.now();
  const seconds = () => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`;
  const clear = stderr.isTTY ? '\r\x1b[K' : '';
  const show = () => stderr.write(`${clear}${label} … ${seconds()}${stderr.isTTY ? '' : '\n'}`);

  show();
  const ticking = setInterval(show, stderr.isTTY ? 250 : 15_000);
  // A forgotten line must not keep the process alive.
  ticking.unref();

  /** @param {string} outcome */
  const close = (outcome) => {
    clearInterval(ticking);
    stderr.write(`${clear}${label}: ${outcome} after ${seconds()}\n`);
  };
  return { succeed: () => close('done'), fail: () => close('failed') };
}
