/** The longest name of a file, in characters: what common file systems take. */
const longest = 200

/**
 * Cleans the name of an uploaded file: its last part without a path, control and direction characters (CWE-22, and
 * "Trojan Source", CVE-2021-42574), leading dots and what some system forbids. A long name keeps its extension.
 */
export function cleanFileName(given: string): string {
  const name = given
    .toWellFormed()
    .normalize('NFC')
    .replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029\ufffd]/gu, '')
    .replace(/^.*[/\\]/, '')
    .replace(/[:*?"<>|]+/g, '-')
    .replace(/\s+/g, ' ')
    .replace(/^[. ]+|[. ]+$/g, '')
  const [, extension = ''] = /(\.[\p{L}\p{N}]{1,10})$/u.exec(name) ?? []
  const base = [...name.slice(0, name.length - extension.length)].slice(0, longest - extension.length).join('')
  return `${base}${extension}` || 'file'
}

/** The extension in lower case, without the dot; '' for none. */
export const extensionOf = (name: string): string => /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
