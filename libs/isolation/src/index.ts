export { type ApiDescription, type ApiRoute, type JsonSchema, routesOf } from './api-description.js';
export {
  type IsolationAnswer,
  type IsolationCall,
  type IsolationParty,
  type IsolationTransport,
  jsonOf,
} from './isolation-party.js';
export type { IsolationResource, IsolationResult } from './isolation-resource.js';
export type { IsolationParties } from './isolation-world.js';
export { probeResource } from './probe-resource.js';
export { sample } from './sample.js';
