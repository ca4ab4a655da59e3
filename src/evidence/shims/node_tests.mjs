// Reporter for node:test. Runs in the runner's own process; test files run in children of it.
// CONDUCTORAI_MODE=discover lists names (the run is made with a name pattern that nothing matches), else each result is written.
import { basename, relative } from 'node:path';

const listing = process.env.CONDUCTORAI_MODE === 'discover';
const line = (value) => JSON.stringify(value) + '\n';
const namedAsTest = (file) => /^(test|test-.*|.*[.\-_]test)\.[cm]?js$/.test(basename(file));

function place(error, file) {
  // The deepest frame outside of node itself; the file of the test where there is none.
  for (const frame of String(error?.stack ?? '').split('\n')) {
    const match = /(?:\(|at )(?:file:\/\/)?(\/[^():]+):(\d+):\d+\)?$/.exec(frame.trim());
    if (match && !match[1].includes('/node_modules/')) return { file: relative(process.cwd(), match[1]), line: Number(match[2]) };
  }
  return { file: file ? relative(process.cwd(), file) : '', line: 0 };
}

export default async function* report(source) {
  yield line({ shim: 'node:test', version: 1 });
  const path = [];
  let cases = 0;
  for await (const { type, data } of source) {
    if (type === 'test:start') path[data.nesting] = data.name;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const failed = type === 'test:fail';
    const file = data.file ? relative(process.cwd(), data.file) : '';
    const whole = data.nesting === 0 && data.name === data.file;
    if (data.details?.type === 'suite' && !(failed && data.details.error?.failureType !== 'subtestsFailed')) continue;
    if (whole && !failed && !namedAsTest(file)) continue; // a helper among the tests
    const name = whole ? file : [file, ...path.slice(0, data.nesting), data.name].join(' > ');
    cases += 1;
    if (listing) {
      yield line({ test: name });
      continue;
    }
    const skipped = (data.skip !== undefined && data.skip !== false) || (data.todo !== undefined && data.todo !== false);
    const cause = data.details?.error?.cause ?? data.details?.error;
    let status = failed ? 'failed' : 'passed';
    let message = failed ? String(cause?.stack ?? cause ?? '').slice(0, 3500) : '';
    if (skipped) [status, message] = ['skipped', String(data.skip || data.todo || '')];
    if (whole) [status, message] = ['error', failed ? `the file failed: ${message}` : 'the file ended without running a test'];
    yield line({ case: { name, status, message, ...(failed ? place(cause, data.file) : { file, line: data.line ?? 0 }) } });
  }
  yield line({ end: { cases } });
}
