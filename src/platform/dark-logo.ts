import {
  converter,
  formatHex,
  modeHsl,
  modeLrgb,
  modeOklch,
  modeRgb,
  parse,
  useMode,
  wcagContrast,
  wcagLuminance,
} from 'culori/fn'

for (const it of [modeRgb, modeLrgb, modeOklch, modeHsl]) useMode(it as typeof modeRgb)
const oklch = converter('oklch')

const paper = '#1c1f20'

/**
 * The same drawing for dark paper: what would hardly be seen there is lightened, in its own hue. A drawing with light
 * parts, of which nobody knows what they lie on, comes on a white tile instead.
 */
export function onDark(svg: string): string {
  let fits = true
  const lightened = svg.replace(
    /\b(fill|stroke|stop-color|flood-color|color)(="|\s*:\s*)([^";}<]*)/g,
    (_, look, is, value) => {
      const shade = shadeOnDark(value.trim())
      fits &&= shade !== undefined
      return `${look}${is}${shade}`
    },
  )
  return fits ? withInk(lightened) : onTile(svg)
}

/** Undefined for a colour that is light, or that is none we can read. */
function shadeOnDark(value: string): string | undefined {
  if (/^(none|transparent|inherit|url\(.*\))$/.test(value)) return value
  const colour = value === 'currentColor' ? '#000' : value
  const read = oklch(parse(colour))
  if (!read || wcagLuminance(colour) > 0.6) return undefined
  if (wcagContrast(colour, paper) >= 4.5) return value
  return formatHex({ ...read, l: 0.79, c: Math.min(read.c, 0.11) })
}

/** What has no colour of its own is black. */
const withInk = (svg: string) => svg.replace(/^<svg (?![^>]* fill=)/, '<svg fill="#bcbcbc" ')

function onTile(svg: string): string {
  const [, box = '0 0 1 1'] = /viewBox="([^"]+)"/.exec(svg) ?? []
  const [x = 0, y = 0, width = 1, height = 1] = box.split(' ').map(Number)
  const edge = height * 0.1
  const tile = [x - edge, y - edge, width + 2 * edge, height + 2 * edge]
  const [left, top, wide, high] = tile
  return svg
    .replace(/viewBox="[^"]+"/, `viewBox="${tile.join(' ')}"`)
    .replace(/>/, `><rect x="${left}" y="${top}" width="${wide}" height="${high}" rx="${1.5 * edge}" fill="#fff"/>`)
}
