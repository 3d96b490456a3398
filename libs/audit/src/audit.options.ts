/** Injection token of the module's options. */
export const AUDIT_MODULE_OPTIONS = 'AUDIT_MODULE_OPTIONS';

/** How `AuditModule` is configured. */
export interface AuditModuleOptions {
  /** Entries on a page at most, whatever a caller asks for. Default 100. */
  maxPageSize?: number;
}
