/** `go` on; `try`, and tell how it went before anybody else goes; or `stay` away. */
export type Verdict = 'go' | 'try' | 'stay';

/** Whether callers get through. */
export type CircuitState = 'closed' | 'half-open' | 'open';

/** When a circuit opens, and for how long. */
export interface CircuitOptions {
  /** Failures in a row that open it. */
  readonly failures: number;
  /** Milliseconds before one caller may try again. */
  readonly pauseMs: number;
  /** Monotonic clock in milliseconds. */
  readonly now?: () => number;
}

/**
 * Keeps callers away from something that fails, so that they fail at once instead of waiting for it. After a pause a
 * single caller is let through; what becomes of it decides for all. Knows nothing of what it protects.
 */
export class CircuitBreaker {
  readonly #options: Required<CircuitOptions>;
  #failures = 0;
  /** When a caller may try again; `undefined` while closed. */
  #retryAt: number | undefined;
  #isTrying = false;

  constructor(options: CircuitOptions) {
    this.#options = { now: () => performance.now(), ...options };
  }

  /** Ask before each call. Whoever is told to `try` must report `succeeded`, `failed` or `gaveUp`, or all others stay away for good. */
  admit(): Verdict {
    if (this.#retryAt === undefined) return 'go';
    if (this.#isTrying || this.#options.now() < this.#retryAt) return 'stay';
    this.#isTrying = true;
    return 'try';
  }

  /** `closed`: everybody goes; `open`: nobody; `half-open`: one may try, or is trying. */
  get state(): CircuitState {
    if (this.#retryAt === undefined) return 'closed';
    return this.#isTrying || this.#options.now() >= this.#retryAt ? 'half-open' : 'open';
  }

  /** How long to stay away, in milliseconds; while somebody tries, a whole pause. */
  get retryAfterMs(): number {
    if (this.#retryAt === undefined) return 0;
    return this.#isTrying ? this.#options.pauseMs : Math.max(0, this.#retryAt - this.#options.now());
  }

  /** Something answered, whoever asked: it is there. */
  succeeded(): void {
    this.#failures = 0;
    this.#retryAt = undefined;
    this.#isTrying = false;
  }

  /** The one that tries came to nothing for a reason that tells neither way: the next may try. */
  gaveUp(): void {
    this.#isTrying = false;
  }

  /** A call failed that was sent while the circuit was closed, or the one that tried. */
  failed(verdict: Exclude<Verdict, 'stay'> = 'go'): void {
    this.#failures++;
    // Stragglers that were sent before it opened say nothing new.
    const decides = this.#retryAt === undefined ? this.#failures >= this.#options.failures : verdict === 'try';
    if (!decides) return;
    this.#retryAt = this.#options.now() + this.#options.pauseMs;
    this.#isTrying = false;
  }
}
