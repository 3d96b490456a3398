import { declareAuditCases } from './audit-suite.js';

declareAuditCases('database');
