import type { IsolationParty } from './isolation-party.js';

/** A kind of thing that tenants have, as an API shows it. Most need no more than their path. */
export interface IsolationResource {
  /** Where its routes begin: `/v1/products`. */
  readonly path: string;
  /**
   * Body of the POST that makes one for `party`, with `party.canary` in its texts. Default: made from the description. Needed
   * where one thing refers to another: make that first, and refer to it.
   */
  readonly create?: (party: IsolationParty) => unknown;
  /** Makes one by other means and gives its id; for what no POST to the path makes. */
  readonly make?: (party: IsolationParty) => Promise<string>;
  /** Bodies by route, such as `POST /v1/orders/{id}/pay`, where the description is not enough to make one. */
  readonly bodies?: Readonly<Record<string, unknown>>;
}

/** Whether one promise holds for one resource. */
export interface IsolationResult {
  readonly resource: string;
  /** The promise, in the present tense. */
  readonly title: string;
  readonly holds: boolean;
  /** What was seen instead. Holds no credentials. */
  readonly detail?: string;
}
