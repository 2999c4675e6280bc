import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inTheEnd } from './children.ts'

/** A file system of limited size in memory, which can be filled up; undefined where none may be mounted. */
export class Disk {
  readonly folder: string
  readonly remove: () => void

  private constructor(folder: string) {
    this.folder = folder
    this.remove = inTheEnd(() => {
      spawnSync('umount', ['--lazy', folder])
      rmSync(folder, { recursive: true, force: true })
    })
  }

  static mounted(megabytes: number): Disk | undefined {
    const folder = mkdtempSync(join(tmpdir(), 'faults-disk-'))
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', folder])
    if (status === 0) return new Disk(folder)
    rmSync(folder, { recursive: true })
    return undefined
  }

  /** To the last page: whoever writes more is told that there is no space left. */
  async fill() {
    const ballast = await open(this.#ballast, 'a')
    for (const size of [1 << 22, 1 << 12]) while (await written(ballast, Buffer.alloc(size)));
    await ballast.close()
  }

  free() {
    rmSync(this.#ballast, { force: true })
  }

  /** Where PostgreSQL keeps its data. */
  get data() {
    const folder = join(this.folder, 'postgres')
    mkdirSync(folder, { recursive: true })
    chmodSync(this.folder, 0o755)
    return folder
  }

  get #ballast() {
    return join(this.folder, 'ballast')
  }
}

async function written(file: FileHandle, bytes: Buffer): Promise<boolean> {
  try {
    return (await file.write(bytes)).bytesWritten === bytes.length
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}
