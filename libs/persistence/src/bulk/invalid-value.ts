/** A value that cannot be stored. Says why; whoever reads the row says which row and property, as an error of the lib. */
export class InvalidValue extends Error {
  /** @param reason `type`: not what the property takes. `tenant`: names another tenant than the context. */
  constructor(
    readonly problem: string,
    readonly reason: 'type' | 'tenant' = 'type',
  ) {
    super(problem);
  }
}
