import { describe, expect, it } from '@jest/globals';
import { explainFailure, findDisagreements } from './installed-packages.mjs';

describe('installed packages', () => {
  const locked = {
    '': { version: '0.1.0' },
    'node_modules/jest': { version: '30.5.2' },
    'node_modules/other-platform': { version: '1.0.0', optional: true },
  };

  it('agree when every locked package is there in its version; the project itself is none', () => {
    expect(findDisagreements(locked, { 'node_modules/jest': { version: '30.5.2' } })).toEqual([]);
  });

  it('disagree when a package is absent or of another version, or an optional one is of another version', () => {
    expect(findDisagreements(locked, {})).toEqual(['node_modules/jest']);
    expect(
      findDisagreements(locked, {
        'node_modules/jest': { version: '29.0.0' },
        'node_modules/other-platform': { version: '0.9.0' },
      }),
    ).toEqual(['node_modules/jest', 'node_modules/other-platform']);
  });

  it('say that the registry is out of reach only when that is the reason', () => {
    expect(explainFailure('npm error code ENOTFOUND\nnpm error network getaddrinfo')).toMatch(
      /cannot be reached \(ENOTFOUND\)/,
    );
    expect(explainFailure('npm error code EUSAGE\nnpm error Missing: jest@30.5.2 from lock file')).not.toMatch(
      /reached/,
    );
  });
});
