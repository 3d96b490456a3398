/** A value that cannot be stored. Says why; whoever reads the row says which row and property, as an error of the lib. */
export class InvalidValue extends Error {}

/** A value names another tenant than the context does. */
export class ForeignTenantValue extends InvalidValue {
  constructor() {
    super('names another tenant');
  }
}
