import { declareAuditCases } from './audit-suite.js';

declareAuditCases('schema', 'search-path');
