// @ts-check
import { build } from './application-build.mjs';

process.exitCode = await build(process.cwd());
