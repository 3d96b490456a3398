/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** Name of the environment variable. */
  readonly name: string;
  /** What is wrong and what to do. */
  readonly remedy: string;
}

/** The configuration cannot be used. Carries every problem at once, so that one more start is enough. */
export class ConfigError extends Error {
  readonly code = 'invalid_configuration';
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly ConfigProblem[]) {
    super(['The configuration cannot be used:', ...problems.map((it) => `  ${it.name}: ${it.remedy}`)].join('\n'));
  }
}
