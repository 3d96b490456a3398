// Prints "<passed> <failed> <skipped>" from jest's JSON report. A suite that could not even be loaded has no failed test,
// so it counts as one itself.
import { readFileSync } from 'node:fs';

const [, , file = ''] = process.argv;
const report = JSON.parse(readFileSync(file, 'utf8'));
console.log(
  report.numPassedTests,
  report.numFailedTests + report.numRuntimeErrorTestSuites,
  report.numPendingTests + report.numTodoTests,
);
