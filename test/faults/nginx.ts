import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort, listens } from '../free-port.ts'
import { until } from '../until.ts'
import { endLater } from './children.ts'

/** A real nginx before the instances, with the settings that docs/proof.md names. */
export async function startNginx(instances: number[]) {
  const folder = mkdtempSync(join(tmpdir(), 'faults-nginx-'))
  chmodSync(folder, 0o755)
  const port = Number(await freePort())
  const file = join(folder, 'nginx.conf')
  writeFileSync(file, settings({ folder, port, instances }))
  const child = spawn('/usr/sbin/nginx', ['-c', file, '-e', join(folder, 'error.log')], { stdio: 'inherit' })
  endLater(child, 'SIGTERM')
  await until(() => listens(port))
  return { port, folder, stop: () => ended(child) }
}

async function ended(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

const settings = ({ folder, port, instances }: { folder: string; port: number; instances: number[] }) => `
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
pid ${folder}/pid;
error_log ${folder}/error.log warn;
events { worker_connections 8192; }
http {
  access_log off;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(it => `${it}_temp_path ${folder}/${it};`).join('\n  ')}
  keepalive_timeout 75s 60s;
  client_header_timeout 20s;
  client_body_timeout 20s;
  upstream portico {
${instances.map(it => `    server 127.0.0.1:${it} max_fails=0;`).join('\n')}
    keepalive 256;
  }
  server {
    listen 127.0.0.1:${port} backlog=1024;
    location / {
      proxy_pass http://portico;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_connect_timeout 2s;
      proxy_read_timeout 60s;
      proxy_next_upstream error timeout;
      add_header X-Upstream $upstream_addr always;
    }
  }
}
`
