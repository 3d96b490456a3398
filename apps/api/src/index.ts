export { AppModule } from './app.module.js';
export { AppConfig, DEMO_OPERATOR, readConfig } from './config/app.config.js';
export { ConfigError } from './config/config.error.js';
export { environmentSchema } from './config/environment.schema.js';
export { loadConfig } from './config/load-config.js';
export { createApp } from './create-app.js';
export { createAppContext } from './create-app-context.js';
export { prepareData } from './prepare-data.js';
export { centralEntities, tenantEntities } from './storage/entities.js';
