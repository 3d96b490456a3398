// @ts-check
import { buildApplication } from './application-build.mjs';

process.exitCode = await buildApplication(process.cwd());
