import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A target in a process of its own, so that its CPU is not counted; prints its address. */
const answer = JSON.stringify({ status: 'completed', automation_error: null, assessment_failures: [] });
const server = createServer((request, response) => {
  request.resume();
  request.once('end', () => response.setHeader('content-type', 'application/json').end(answer));
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
