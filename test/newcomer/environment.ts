/** Our environment without what npm adds to it, and without the tools of this checkout. */
export const clean: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries(process.env)
    .filter(
      ([name]) =>
        !/^npm_(?!config_registry$)|^(INIT_CWD|NODE|NODE_ENV|NODE_COMPILE_CACHE|DATABASE_URL|PORT)$|^PORTICO_/.test(
          name,
        ),
    )
    .map(([name, value]) => [name, name === 'PATH' ? withoutCheckout(value!) : value]),
)

function withoutCheckout(path: string): string {
  return path
    .split(':')
    .filter(folder => !folder.includes('node_modules'))
    .join(':')
}
