import getPort, { portNumbers } from 'get-port';

const loopback = '127.0.0.1';
const neighbours = 50;

/** The ports a newcomer expects; each moves to the next free one when it is taken. */
export const usualPorts = {
  temporal: 7233,
  temporalHttp: 7243,
  temporalUi: 8233,
  postgres: 5434,
  stateHub: 8010,
  ledger: 8020,
} as const;

/** A free port on the loopback interface: the usual one, else the next free one above it, else any. */
export async function chooseFreePort(usual: number): Promise<number> {
  return getPort({ host: loopback, port: portNumbers(usual, usual + neighbours) });
}

/** Any free port on the loopback interface, for servers that nobody looks for. */
export async function chooseAnyPort(): Promise<number> {
  return getPort({ host: loopback });
}

/** Whether something listens on that port of the loopback interface. */
export async function isPortTaken(port: number): Promise<boolean> {
  return (await getPort({ host: loopback, port })) !== port;
}
