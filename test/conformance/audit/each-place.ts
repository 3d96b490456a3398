import { eachStrategy } from '#libs/testing';

/**
 * Declares cases for every engine and isolation strategy, but for the drivers that speak to one server: what they read
 * differently they read alike at every place, and places take time to make.
 */
export const eachPlace: typeof eachStrategy = (declareCases) =>
  eachStrategy((strategy, engine) => {
    if (engine.name !== 'mysql' || strategy === 'row') declareCases(strategy, engine);
  });
