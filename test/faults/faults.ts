import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../until.ts'
import { ahead, type Instance } from './instance.ts'
import type { World } from './world.ts'

export interface Fault {
  name: string
  /** Why it cannot be tried here, in a sentence; undefined where it can. */
  skip?(world: World): string | undefined
  /** Resolves with the milliseconds until pages came again, once what they need was back. */
  act(world: World): Promise<number>
}

export const faults: Fault[] = [
  { name: 'an instance is killed', act: world => killed(world, world.instances[0]) },
  { name: 'an instance is stopped', act: world => stopped(world, world.instances[1]) },
  { name: 'PostgreSQL is restarted', act: world => restarted(world, 'fast') },
  { name: 'PostgreSQL crashes', act: world => restarted(world, 'immediate') },
  { name: 'PostgreSQL hangs', act: hung },
  { name: 'all connections are ended', act: terminated },
  { name: 'PgBouncer is killed', act: poolerKilled },
  {
    name: 'the disk is full',
    skip: ({ disk }) => (disk ? undefined : 'Here no file system of limited size may be mounted.'),
    act: full,
  },
  { name: 'slow clients', act: world => crowded(world, slowly) },
  { name: 'idle clients', act: world => crowded(world, idly) },
  {
    name: 'a clock is ten minutes ahead',
    skip: () => (ahead(10) ? undefined : 'Here is no faketime: apt-get install faketime.'),
    act: clockAhead,
  },
  { name: 'all of it, mixed', act: mixed },
]

const rest = ({ seconds }: World, share: number) => sleep(seconds * 1_000 * share)

/** Pages come from the other one meanwhile. */
async function killed(world: World, instance: Instance) {
  await rest(world, 0.3)
  const [, recovery] = await Promise.all([instance.kill(), world.recovery([])])
  await rest(world, 0.3)
  await instance.start()
  await rest(world, 0.3)
  return recovery
}

async function stopped(world: World, instance: Instance) {
  await rest(world, 0.2)
  const [status, recovery] = await Promise.all([instance.stop(), world.recovery([])])
  if (status !== 0) world.journal.tally.wrong.push(`a stopped instance ended with ${status}`)
  await instance.start()
  await rest(world, 0.3)
  return recovery
}

async function restarted(world: World, how: 'fast' | 'immediate') {
  await rest(world, 0.3)
  await world.server.stop(how)
  await world.server.start()
  await world.server.back()
  const recovery = await world.recovery()
  await rest(world, 0.5)
  return recovery
}

async function hung(world: World) {
  await rest(world, 0.2)
  world.server.signalAll('SIGSTOP')
  await rest(world, 0.6)
  world.server.signalAll('SIGCONT')
  const recovery = await world.recovery()
  await rest(world, 0.3)
  return recovery
}

async function terminated(world: World) {
  for (let at = 0; at < 10; at++) {
    await world.server.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'portico_app'`)
    await rest(world, 0.07)
  }
  const recovery = await world.recovery()
  await rest(world, 0.3)
  return recovery
}

async function poolerKilled(world: World) {
  await rest(world, 0.3)
  await world.pooler.kill()
  await rest(world, 0.2)
  await world.pooler.start()
  const recovery = await world.recovery()
  await rest(world, 0.5)
  return recovery
}

/** PostgreSQL may end over it, and cannot start again before there is room. */
async function full(world: World) {
  await rest(world, 0.1)
  const end = performance.now() + world.seconds * 700
  // What PostgreSQL gives up is taken as well.
  while (performance.now() < end) {
    await world.disk?.fill()
    await sleep(100)
  }
  world.disk?.free()
  await world.server.back()
  const recovery = await world.recovery()
  await rest(world, 0.4)
  return recovery
}

/** It stays so for the fault after this one. */
async function clockAhead(world: World) {
  const [, instance] = world.instances
  await instance.stop()
  await instance.start(ahead(10))
  const recovery = await world.recovery()
  await rest(world, 0.8)
  return recovery
}

async function crowded(world: World, how: Holding) {
  const letGo = await hold(world, how)
  const recovery = await world.recovery()
  await rest(world, 0.8)
  letGo()
  return recovery
}

type Holding = (socket: Socket, at: number) => void

/** Many connections that hold on to what they have, to nginx and past it to both instances. Gives what ends them. */
async function hold({ nginx, instances }: World, how: Holding) {
  const ports = [nginx.port, ...instances.map(it => it.port)]
  const sockets = ports.flatMap(port => Array.from({ length: 100 }, () => connect(port, '127.0.0.1')))
  for (const [at, socket] of sockets.entries()) {
    socket.on('error', () => undefined)
    socket.resume()
    how(socket, at)
  }
  await until(() => sockets.every(it => !it.connecting))
  return () => {
    for (const it of sockets) it.destroy()
  }
}

/** Half of them get no further than their headers, the others than their body; a byte every second. */
function slowly(socket: Socket, at: number) {
  socket.write('POST /portal/brightside/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\n')
  if (at % 2) socket.write('Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 90000\r\n\r\nemail=')
  const drip = setInterval(() => (socket.destroyed ? clearInterval(drip) : socket.write('a')), 1_000)
  drip.unref()
}

/** Half of them have asked for a page before, the others have never said anything. */
function idly(socket: Socket, at: number) {
  if (at % 2) socket.write('GET /portal/-/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
}

/** One after the other without a pause, with slow and idle clients all the time, and the clock as the fault before left it. */
async function mixed(world: World) {
  const ends = [await hold(world, slowly), await hold(world, idly)]
  const brief = { ...world, seconds: world.seconds / 3 }
  const [one] = world.instances
  const recoveries = [
    await killed(brief, one),
    await hung(brief),
    await poolerKilled(brief),
    await restarted(brief, 'immediate'),
    await stopped(brief, one),
    await terminated(brief),
    await restarted(brief, 'fast'),
  ]
  for (const letGo of ends) letGo()
  return Math.max(...recoveries)
}
