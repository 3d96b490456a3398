import { describe } from '@jest/globals';
import { declareIsolationOf } from './strategy-suite.js';

describe('isolation of the search-path strategy', () => declareIsolationOf('search-path'));
