/** One thing wrong with the input, located by an RFC 6901 pointer into the body, or by the name of a parameter. */
export interface InputError {
  readonly pointer?: string;
  readonly parameter?: string;
  readonly detail: string;
}

/** An RFC 9457 problem, as every failure of the API is answered. */
export interface Problem {
  /** A URI that names the kind of problem. */
  readonly type: string;
  readonly title: string;
  readonly status: number;
  /** What happened this time and what to do, for people. Holds no SQL, no stack, and nothing of another tenant. */
  readonly detail: string;
  /** Path of the request. */
  readonly instance: string;
  /** Stable, for programs. */
  readonly code: string;
  readonly requestId: string;
  readonly errors?: readonly InputError[];
}
