import { changeStatusCommand } from '../tenants/change-status.command.js';

export const tenantSuspendCommand = changeStatusCommand(
  'suspend',
  'suspended',
  'refuse all requests of a tenant from the next one on; its data is kept',
  'Suspend % now?',
);

export const tenantActivateCommand = changeStatusCommand(
  'activate',
  'active',
  'serve a suspended or archived tenant again',
  'Serve % again?',
);

export const tenantArchiveCommand = changeStatusCommand(
  'archive',
  'archived',
  'end the sessions of a tenant and refuse its requests; data, schema or database, and slug are kept',
  'Archive % and end its sessions?',
);
